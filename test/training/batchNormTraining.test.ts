/** Ten steps of a network with batch normalisation, by the Stepper, against PyTorch's: parameters and statistics. */

import { describe, expect, it } from 'vitest';
import { type TensorData, tensor } from '../../src/graph/tensor.js';
import { batchNorm2d } from '../../src/nn/layers/batchNorm2d.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { flatten, relu } from '../../src/nn/layers/pointwise.js';
import { adaptiveAvgPool2d, maxPool2d } from '../../src/nn/layers/pooling.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import { loadStateDict, parameterNames } from '../../src/nn/stateDict.js';
import { evaluationGraph } from '../../src/training/networkGraph.js';
import { Stepper, type StepResult } from '../../src/training/stepper.js';
import { loadBatchNormTraining, relativeError } from '../support/reference.js';
import { engine } from '../support/runGraph.js';
import { expectLosses, expectParameters, optimizerOf } from './referenceRun.js';
import { configOf } from './syntheticRun.js';

/** PyTorch's own float32 is 1e-7 away from its float64. */
const TOLERANCE = 2e-6;

describe('ten steps with batch normalisation', async () => {
  const fixture = loadBatchNormTraining();
  const { batchSize, images, labels, optimizer } = fixture;
  const net = sequential(
    conv2d(1, 6, 3, { padding: 1 }),
    batchNorm2d(6),
    relu(),
    maxPool2d(3, { stride: 2 }),
    conv2d(6, 10, 1),
    batchNorm2d(10),
    relu(),
    adaptiveAvgPool2d([1, 1]),
    flatten(),
  );
  const given = { ...fixture.parameters, ...fixture.buffers };
  loadStateDict(net, new Map(Object.entries(given).map(([name, { shape, data }]) => [name, tensor(shape, data)])));
  const input = { height: 28, width: 28, transform: {} };
  const stepper = new Stepper(engine, net, configOf(net, { batchSize, optimizer: optimizerOf(optimizer) }), input);
  const batchAt = (step: number) => ({
    images: images.subarray(step * batchSize * 784, (step + 1) * batchSize * 784),
    labels: Uint8Array.from(labels.slice(step * batchSize, (step + 1) * batchSize)),
    length: batchSize,
  });
  const results: StepResult[] = [];
  for (const step of fixture.losses.keys()) {
    results.push(await stepper.step(batchAt(step), step, optimizer.learningRate));
  }
  const { state } = stepper;
  await stepper.release();

  it('have the losses of PyTorch', () => {
    const losses = results.map(({ loss }) => loss);
    expectLosses(losses, fixture.losses, 5e-6);
  });

  it('have the gradient norms of PyTorch', () => {
    for (const [i, { gradientNorm }] of results.entries()) {
      expect(Math.abs(gradientNorm / (fixture.norms[i] ?? Number.NaN) - 1)).toBeLessThan(2e-5);
    }
  });

  it('end with the parameters of PyTorch', () => {
    const parameters = new Map([...state].map(([name, { data }]) => [name, data]));
    // The bias before a normalisation has no gradient: what moves it is rounding, in PyTorch by 4e-5 of its size.
    const isWithoutEffect = (name: string) => name === '0.bias' || name === '4.bias';
    expectParameters(parameters, fixture.final, (name) => (isWithoutEffect(name) ? 2e-4 : TOLERANCE));
  });

  it.each(Object.keys(fixture.finalBuffers))('end with the running statistics of PyTorch in %s', (name) => {
    // The mean before a normalisation has that bias in it.
    const tolerance = name.endsWith('mean') ? 1e-4 : TOLERANCE;
    expect(relativeError(state.get(name)?.data ?? [], fixture.finalBuffers[name]?.data ?? [])).toBeLessThan(tolerance);
    expect(relativeError(fixture.buffers[name]?.data ?? [], fixture.finalBuffers[name]?.data ?? [])).toBeGreaterThan(
      0.1,
    );
  });

  it('give the logits of PyTorch in evaluation', async () => {
    const executable = await engine.compile(evaluationGraph(net, batchSize, input));
    const names = new Set(parameterNames(net));
    const inputs = new Map<string, TensorData>([['images', batchAt(fixture.losses.length - 1).images]]);
    for (const [name, { data }] of state) inputs.set(`${names.has(name) ? 'parameter' : 'buffer'}.${name}`, data);
    const logits = (await executable.run(inputs)).get('logits');
    await executable.release();
    expect(logits?.shape).toEqual(fixture.evaluationLogits.shape);
    expect(relativeError(logits?.data ?? [], fixture.evaluationLogits.data)).toBeLessThan(5e-6);
  });
});
