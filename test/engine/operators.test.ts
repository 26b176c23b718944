/** Every operator and its gradients against PyTorch's. */

import { describe, expect, it } from 'vitest';
import * as build from '../../src/graph/build.js';
import type { Value } from '../../src/graph/graph.js';
import { loadOperatorCases, maximumError, type OperatorCase, type OperatorName } from '../support/reference.js';
import { runGraph, runWithGradients } from '../support/runGraph.js';

/** float32 sums of a few hundred terms; a wrong formula is off by far more. */
const TOLERANCE = 5e-6;
/** Convolutions with many channels go by Winograd's tiles, which round a few times as much as a plain sum. */
const TILE_TOLERANCE = 1e-5;
const MANY_CHANNELS = 32;

type Values = Readonly<Record<string, Value>>;

/** Checks output and all gradients of each case of an operator whose main output is `y`. */
function checkCases<Op extends OperatorName>(op: Op, f: (values: Values, c: OperatorCase<Op>) => Value): void {
  describe(op, () => {
    it.each(loadOperatorCases(op).map((c) => [c.name, c] as const))('%s', async (_, c) => {
      const wanted = Object.keys(c.gradients);
      const outputGradient = c.outputGradient as NonNullable<typeof c.outputGradient>;
      const results = await runWithGradients(c.inputs, outputGradient, wanted, (values) => f(values, c));
      const expected = {
        y: c.outputs.y,
        ...Object.fromEntries(wanted.map((name) => [`d.${name}`, c.gradients[name]])),
      };
      const isWide = op === 'conv2d' && (c.inputs.x?.shape[1] ?? 0) >= MANY_CHANNELS;
      for (const [name, tensor] of Object.entries(expected)) {
        expect(results[name]?.shape, name).toEqual(tensor?.shape);
        const error = maximumError(results[name]?.data ?? [], tensor?.data ?? []);
        expect(error, name).toBeLessThan(isWide ? TILE_TOLERANCE : TOLERANCE);
      }
    });
  });
}

const at = (values: Values, name: string) => values[name] as Value;

checkCases('conv2d', (v, { attrs }) => build.conv2d(at(v, 'x'), at(v, 'weight'), v.bias, attrs.stride, attrs.padding));
checkCases('relu', (v) => build.relu(at(v, 'x')));
checkCases('maxPool2d', (v, { attrs: { kernel, stride, padding } }) =>
  build.maxPool2d(at(v, 'x'), { kernelSize: kernel, stride, padding }),
);
checkCases('globalAvgPool2d', (v) => build.adaptiveAvgPool2d(at(v, 'x'), 1, 1));
checkCases('adaptiveAvgPool2d', (v, { attrs }) => build.adaptiveAvgPool2d(at(v, 'x'), ...attrs.outputSize));
checkCases('linear', (v) => {
  const product = build.matmul(at(v, 'x'), at(v, 'weight'), false, true);
  return v.bias ? build.addBias(product, v.bias) : product;
});
checkCases('dropout', (v) => build.multiply(at(v, 'x'), at(v, 'mask')));
checkCases('flatten', (v) => build.flatten(at(v, 'x')));

describe('batchNorm2d', () => {
  const cases = loadOperatorCases('batchNorm2d');
  it.each(cases.filter((c) => c.attrs.training).map((c) => [c.name, c] as const))('%s', async (_, c) => {
    const wanted = Object.keys(c.gradients);
    const outputGradient = c.outputGradient as NonNullable<typeof c.outputGradient>;
    const results = await runWithGradients(
      c.inputs,
      outputGradient,
      wanted,
      (v) => build.batchNorm2d(at(v, 'x'), at(v, 'weight'), at(v, 'bias'), c.attrs.epsilon).y,
    );
    const expected = { y: c.outputs.y, ...Object.fromEntries(wanted.map((name) => [`d.${name}`, c.gradients[name]])) };
    for (const [name, tensor] of Object.entries(expected)) {
      expect(maximumError(results[name]?.data ?? [], tensor?.data ?? []), name).toBeLessThan(2e-5);
    }
  });

  it.each(cases.filter((c) => !c.attrs.training).map((c) => [c.name, c] as const))('%s', async (_, c) => {
    const { y } = await runGraph(c.inputs, (v) => ({
      y: build.batchNorm2dInference(
        at(v, 'x'),
        at(v, 'weight'),
        at(v, 'bias'),
        at(v, 'runningMean'),
        at(v, 'runningVar'),
        c.attrs.epsilon,
      ),
    }));
    expect(maximumError(y?.data ?? [], c.outputs.y?.data ?? [])).toBeLessThan(TOLERANCE);
  });
});

describe('softmaxCrossEntropy', () => {
  it.each(loadOperatorCases('softmaxCrossEntropy').map((c) => [c.name, c] as const))('%s', async (_, c) => {
    const logits = c.inputs.logits as NonNullable<typeof c.inputs.logits>;
    const [batch = 1] = logits.shape;
    const weights = c.inputs.weights ?? { shape: [batch], data: new Float32Array(batch).fill(1 / batch) };
    const labels = { shape: [batch], data: Int32Array.from(c.attrs.labels) };
    const { loss, gradient } = await runGraph({ logits, weights, labels }, (v) => ({
      loss: build.softmaxCrossEntropy(at(v, 'logits'), at(v, 'labels'), at(v, 'weights')),
      gradient: build.softmaxCrossEntropyGrad(at(v, 'logits'), at(v, 'labels'), at(v, 'weights')),
    }));
    expect(maximumError(loss?.data ?? [], c.outputs.loss?.data ?? [])).toBeLessThan(TOLERANCE);
    expect(maximumError(gradient?.data ?? [], c.gradients.logits?.data ?? [])).toBeLessThan(TOLERANCE);
  });
});
