/** Networks out of files that somebody has changed: each is refused in a sentence at once, before anything is made of it. */

import { describe, expect, it } from 'vitest';
import type { LayerSpec } from '../../src/nn/layer.js';
import { RunError } from '../../src/run/runError.js';
import { type NetworkUse, savedNetwork } from '../../src/run/savedNetwork.js';
import { PRESET_NAMES, PRESETS } from '../../src/training/presets.js';
import { QUICK_CONFIG } from './configs.js';

const PATH = 'runs/one/config.json';

const sequential = (...layers: readonly object[]) => ({ type: 'Sequential', layers });
const conv = (inChannels: number, outChannels: number, options: Readonly<Record<string, unknown>> = {}) => ({
  type: 'Conv2d',
  ...{ inChannels, outChannels, kernelSize: 1, stride: 1, padding: 0, bias: true },
  ...options,
});
const linear = (inFeatures: number, outFeatures: number) => ({ type: 'Linear', inFeatures, outFeatures });
const pool = (outputHeight: number, outputWidth = outputHeight) => ({
  type: 'AdaptiveAvgPool2d',
  outputHeight,
  outputWidth,
});
const flatten = { type: 'Flatten' };
const relu = { type: 'ReLU' };
/** Arrays within arrays, deeper than a stack. */
const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as unknown;

function read(net: LayerSpec, use: NetworkUse = 'training', microBatchSize = 16) {
  return savedNetwork(PATH, { ...QUICK_CONFIG, training: { ...QUICK_CONFIG.training, net, microBatchSize } }, use);
}

/** The sentence with which a network is refused, and how many milliseconds that took. */
function refusal(net: object, use: NetworkUse, microBatchSize?: number): { message: string; milliseconds: number } {
  const startedAt = performance.now();
  try {
    read(net as LayerSpec, use, microBatchSize);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    return { message: error.message, milliseconds: performance.now() - startedAt };
  }
  throw new Error('The network was taken.');
}

describe('a network out of a file is refused', () => {
  it.each<[string, object, RegExp]>([
    ['of an unknown type', sequential({ type: 'Wormhole' }), /not describe a layer at type: \{"type":"Wormhole"\}/],
    ['with text for a number', sequential(conv(1, 10, { kernelSize: '3' })), /at kernelSize: /],
    ['with billions of channels', sequential(conv(1, 4e9), pool(1), flatten), /at outChannels: .*4000000000/],
    [
      'with something nested deeply',
      sequential({ ...relu, deep }),
      /not describe a layer: \{"type":"ReLU","deep":"…"\}/,
    ],
    ['with channels that do not fit', sequential(conv(3, 10), pool(1), flatten), /Layer 0, Conv2d\(3, 10, .*1x1x96x96/],
    ['with 5 logits', sequential(conv(1, 5), pool(1), flatten), /makes 1x5 of an image, 1x10 are needed/],
    ['with 20 logits', sequential(conv(1, 20), pool(1), flatten), /makes 1x20 of an image/],
    ['with images for logits', sequential(conv(1, 10)), /makes 1x10x96x96 of an image/],
    ['without layers', sequential(), /it has no parameters, so there is nothing to train/],
    ['without parameters', sequential(pool(2, 5), flatten), /it has no parameters, so there is nothing to train/],
    [
      'with 10^12 weights',
      sequential(pool(1), flatten, linear(1, 1e6), linear(1e6, 1e6)),
      /1,000,003,000,000 parameters/,
    ],
    ['with 10^9 weights', sequential(conv(1, 1e5), conv(1e5, 1e4), pool(1), flatten, linear(1e4, 10)), /parameters/],
    [
      'with a huge kernel',
      sequential(conv(1, 10, { kernelSize: 1000, padding: 500 }), pool(1), flatten),
      /1,000,001 places/,
    ],
    [
      'with many large kernels',
      sequential(...Array.from({ length: 100 }, () => conv(1, 1, { kernelSize: 9 }))),
      /8,200 places/,
    ],
    ['with a huge step', sequential(conv(1, 10, { stride: 1e6 }), pool(1), flatten), /1,000,001 places in its windows/],
    ['with a huge border', sequential(conv(1, 10, { padding: 1e6 }), pool(1), flatten), /about [\d,]+ GB of memory/],
    [
      'with huge images within',
      sequential(pool(4000), conv(1, 1000), pool(1), conv(1000, 10), flatten),
      /16 images at once/,
    ],
    [
      'with a long computation',
      sequential(conv(1, 240), conv(240, 240, { kernelSize: 40, padding: 20 }), conv(240, 10), pool(1), flatten),
      /multiply-adds/,
    ],
    [
      'with very many layers',
      { type: 'Sequential', layers: Array.from({ length: 200_000 }, () => relu) },
      /more than 1000 layers/,
    ],
  ])('%s', (_, net, reason) => {
    for (const use of ['training', 'evaluation'] as const) {
      const { message, milliseconds } = refusal(net, use);
      expect(message).toMatch(
        /^The network in runs\/one\/config\.json cannot be used: [^\n]+\. Put the file back [^\n]+\.$/,
      );
      if (use === 'training') expect(message).toMatch(reason);
      expect(message.length).toBeLessThan(500);
      expect(milliseconds).toBeLessThan(2000);
    }
  });

  it('with a micro-batch that no machine could hold', () => {
    const net = sequential(conv(1, 10), pool(1), flatten);
    expect(refusal(net, 'training', 1e15).message).toMatch(
      /needs about [\d,]+ GB of memory for 1,000,000,000,000,000 images at once/,
    );
    expect(read(net, 'evaluation', 1e15).type).toBe('Sequential');
  });
});

it.each(PRESET_NAMES)('the network of %s is taken', (name) => {
  const { transform, net, batchSize } = PRESETS[name];
  const training = { ...QUICK_CONFIG.training, transform, net: net().toJSON(), batchSize };
  for (const use of ['training', 'evaluation'] as const) {
    expect(savedNetwork(PATH, { ...QUICK_CONFIG, training }, use).toJSON()).toEqual(training.net);
  }
});
