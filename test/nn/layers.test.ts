/** Layers: their options, their way through JSON, and what a misfit is told. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/graph/operators.js';
import type { Shape } from '../../src/graph/tensorType.js';
import { layerFromJSON } from '../../src/nn/fromJSON.js';
import type { Layer } from '../../src/nn/layer.js';
import { batchNorm2d } from '../../src/nn/layers/batchNorm2d.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { linear } from '../../src/nn/layers/linear.js';
import { dropout, flatten, relu } from '../../src/nn/layers/pointwise.js';
import { adaptiveAvgPool2d, maxPool2d } from '../../src/nn/layers/pooling.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import { nin } from '../../src/nn/models/nin.js';
import { stateShapes } from '../../src/nn/stateDict.js';
import { summary } from '../../src/nn/summary.js';

const count = fc.integer({ min: 1, max: 100 });
const padding = fc.integer({ min: 0, max: 100 });

const leaf: fc.Arbitrary<Layer> = fc.oneof(
  fc
    .tuple(count, count, count, fc.record({ stride: count, padding, bias: fc.boolean() }, { requiredKeys: [] }))
    .map((options) => conv2d(...options)),
  fc.tuple(count, count).map((options) => linear(...options)),
  count.map(batchNorm2d),
  fc.constant(relu()),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map(dropout),
  fc.constant(flatten()),
  fc.tuple(count, fc.record({ stride: count, padding }, { requiredKeys: [] })).map((options) => maxPool2d(...options)),
  fc.tuple(count, count).map(adaptiveAvgPool2d),
);

const { layer } = fc.letrec<{ layer: Layer }>((tie) => ({
  layer: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('layer'), { maxLength: 4 }).map((all) => sequential(...all)),
  ),
}));

describe('layers as JSON', () => {
  it('come back as equal layers, of every type', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(layer, (original) => {
        const text = JSON.stringify(original);
        const copy = layerFromJSON(JSON.parse(text));
        expect(JSON.stringify(copy)).toBe(text);
        expect(`${copy}`).toBe(`${original}`);
        expect(stateShapes(copy)).toEqual(stateShapes(original));
        for (const [type] of text.matchAll(/(?<="type":")\w+/g)) seen.add(type);
      }),
      { numRuns: 400 },
    );
    const all = 'AdaptiveAvgPool2d BatchNorm2d Conv2d Dropout Flatten Linear MaxPool2d ReLU Sequential';
    expect([...seen].sort().join(' ')).toBe(all);
  });

  it('of NiN: with the same parameters, shapes and costs', () => {
    const net = nin({ batchNorm: true });
    const copy = layerFromJSON(JSON.parse(JSON.stringify(net)));
    expect(summary(copy, [1, 1, 96, 96])).toEqual(summary(net, [1, 1, 96, 96]));
  });

  it.each<[string, unknown, string]>([
    ['no object', 3, 'This does not describe a layer: 3'],
    ['nothing', undefined, 'This does not describe a layer: undefined'],
    ['an unknown type', { type: 'Lstm' }, 'This does not describe a layer at type: {"type":"Lstm"}'],
    ['a missing option', { type: 'BatchNorm2d' }, 'This does not describe a layer at numFeatures'],
    ['an option too many', { type: 'ReLU', inplace: true }, 'This does not describe a layer: {"type":"ReLU"'],
    ['a text for a number', { type: 'BatchNorm2d', numFeatures: '4' }, 'at numFeatures'],
    ['no features', { type: 'BatchNorm2d', numFeatures: 0 }, 'at numFeatures'],
    ['half a channel', { type: 'BatchNorm2d', numFeatures: 1.5 }, 'at numFeatures'],
    ['a dropout of everything', { type: 'Dropout', probability: 1 }, 'at probability'],
    [
      'something wrong deep inside',
      { type: 'Sequential', layers: [{ type: 'ReLU' }, { type: 'Sequential', layers: [{ type: 'Relu' }] }] },
      'This does not describe a layer at type: {"type":"Relu"}',
    ],
  ])('%s is refused', (_, json, message) => {
    expect(() => layerFromJSON(json)).toThrow(GraphError);
    expect(() => layerFromJSON(json)).toThrow(message);
  });
});

describe('options', () => {
  it.each<[string, () => Layer, string]>([
    ['of conv2d', () => conv2d(0, 1, 1), 'Conv2d: inChannels must be a whole number of at least 1, it is 0.'],
    ['of conv2d', () => conv2d(1, 1.5, 1), 'Conv2d: outChannels must be a whole number of at least 1, it is 1.5.'],
    ['of conv2d', () => conv2d(1, 1, -3), 'Conv2d: kernelSize must be a whole number of at least 1, it is -3.'],
    [
      'of conv2d',
      () => conv2d(1, 1, 1, { stride: 0 }),
      'Conv2d: stride must be a whole number of at least 1, it is 0.',
    ],
    [
      'of conv2d',
      () => conv2d(1, 1, 1, { padding: Number.NaN }),
      'Conv2d: padding must be a whole number of at least 0, it is NaN.',
    ],
    [
      'of linear',
      () => linear(3, Infinity),
      'Linear: outFeatures must be a whole number of at least 1, it is Infinity.',
    ],
    ['of batchNorm2d', () => batchNorm2d(0), 'BatchNorm2d: numFeatures must be a whole number of at least 1, it is 0.'],
    ['of maxPool2d', () => maxPool2d(0), 'MaxPool2d: kernelSize must be a whole number of at least 1, it is 0.'],
    [
      'of adaptiveAvgPool2d',
      () => adaptiveAvgPool2d([1, 0]),
      'AdaptiveAvgPool2d: output width must be a whole number of at least 1, it is 0.',
    ],
    ['of dropout', () => dropout(1), 'Dropout: probability must be at least 0 and below 1, it is 1.'],
    ['of dropout', () => dropout(Number.NaN), 'Dropout: probability must be at least 0 and below 1, it is NaN.'],
  ])('%s that make no sense are refused', (_, make, message) => {
    expect(make).toThrow(new GraphError(message));
  });

  it('have the defaults of PyTorch', () => {
    expect(conv2d(1, 2, 3).toJSON()).toMatchObject({ stride: 1, padding: 0, bias: true });
    expect(maxPool2d(3).toJSON()).toMatchObject({ stride: 3, padding: 0 });
    expect(dropout().toJSON()).toMatchObject({ probability: 0.5 });
  });
});

describe('a layer that cannot take its input', () => {
  it.each<[string, Layer, Shape, string]>([
    [
      'is named with its place',
      nin(),
      [1, 3, 224, 224],
      'Layer 0.0, Conv2d(1, 96, kernelSize=11, stride=4), cannot take an input of 1x3x224x224. conv2d: the weight ' +
        'expects 1 input channels, the input has 3.',
    ],
    [
      'is the one in the middle that fails',
      nin(),
      [1, 1, 28, 28],
      'Layer 3, MaxPool2d(3, stride=2), cannot take an input of 1x256x2x2. maxPool2d: a 3x3 window with padding 0 does ' +
        'not fit an input of 2x2; the input must be at least 3 high and wide.',
    ],
    [
      'is named alone where it is alone',
      linear(4, 2),
      [1, 3],
      'Linear(4, 2), cannot take an input of 1x3. matmul: the inner dimensions 3 and 4 must be equal.',
    ],
    [
      'is named deep inside',
      sequential(relu(), sequential(relu(), sequential(batchNorm2d(5)))),
      [1, 4, 2, 2],
      'Layer 1.1.0, BatchNorm2d(5), cannot take an input of 1x4x2x2. batchNorm2dInference: the per-channel vector must ' +
        'have the shape 4, it has 5.',
    ],
  ])('%s', (_, net, input, message) => {
    expect(() => net.outputShape(input)).toThrow(new GraphError(message));
    expect(() => summary(net, input)).toThrow(new GraphError(message));
  });
});

describe('layers follow shapes', () => {
  it.each<[Layer, Shape, Shape, number]>([
    [conv2d(3, 8, 5, { stride: 2, padding: 2 }), [2, 3, 11, 8], [2, 8, 6, 4], 2 * 8 * 6 * 4 * 3 * 25],
    [linear(6, 4), [3, 6], [3, 4], 72],
    [batchNorm2d(3), [2, 3, 4, 4], [2, 3, 4, 4], 0],
    [relu(), [2, 3], [2, 3], 0],
    [dropout(0.3), [2, 3], [2, 3], 0],
    [flatten(), [2, 3, 4, 5], [2, 60], 0],
    [maxPool2d(2), [1, 3, 9, 8], [1, 3, 4, 4], 0],
    [adaptiveAvgPool2d([2, 3]), [1, 3, 9, 8], [1, 3, 2, 3], 0],
    [sequential(), [4, 4], [4, 4], 0],
  ])('%s', (layer, input, output, multiplyAdds) => {
    expect(layer.outputShape(input)).toEqual(output);
    expect(summary(layer, input).multiplyAdds).toBe(multiplyAdds);
  });
});
