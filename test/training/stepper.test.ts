/** One step: how a batch is cut into micro-batches, and that the cut changes nothing but the speed. */

import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/data/types.js';
import { type Tensor, tensor } from '../../src/graph/tensor.js';
import { sizeOf } from '../../src/graph/tensorType.js';
import type { Layer } from '../../src/nn/layer.js';
import { batchNorm2d } from '../../src/nn/layers/batchNorm2d.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { dropout, flatten, relu } from '../../src/nn/layers/pointwise.js';
import { adaptiveAvgPool2d } from '../../src/nn/layers/pooling.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import { stateDict } from '../../src/nn/stateDict.js';
import type { TrainingConfig } from '../../src/training/config.js';
import { Stepper, type StepResult } from '../../src/training/stepper.js';
import { maximumError } from '../support/reference.js';
import { engine } from '../support/runGraph.js';
import { configOf, initialised, smallNet, stripesIter } from './syntheticRun.js';

const INPUT = { height: 8, width: 8, transform: {} };
const MOMENTUM = { momentum: 0.9, nesterov: true, weightDecay: 0.01, maxGradientNorm: 0.5 };

const batchOf = (length: number): Batch => stripesIter(length, { batchSize: length }).batch(0, 0);

interface Outcome {
  readonly results: readonly StepResult[];
  readonly state: ReadonlyMap<string, Tensor>;
  readonly examplesDone: readonly number[];
}

/** Some steps on the same batch. */
async function steps(net: Layer, config: Partial<TrainingConfig>, batch: Batch, count = 2): Promise<Outcome> {
  const stepper = new Stepper(engine, net, configOf(net, config), INPUT);
  const results: StepResult[] = [];
  const examplesDone: number[] = [];
  for (let step = 0; step < count; step++) {
    results.push(await stepper.step(batch, step, 0.1, (done) => examplesDone.push(done)));
  }
  await stepper.release();
  return { results, state: stepper.state, examplesDone };
}

describe('a step with micro-batches', () => {
  it.each([
    [8, [3, 4, 5, 8, 16]],
    [7, [3, 4, 7, 8, 1]],
  ])('of a batch of %s is the same for micro-batches of %s', async (length, sizes) => {
    const batch = batchOf(length);
    const whole = await steps(smallNet(), { microBatchSize: length, optimizer: MOMENTUM }, batch);
    for (const microBatchSize of sizes) {
      const cut = await steps(smallNet(), { microBatchSize, optimizer: MOMENTUM }, batch);
      for (const [i, { loss, correct, gradientNorm }] of whole.results.entries()) {
        const same = cut.results[i] as StepResult;
        // float32 sums of a few examples in another order; dropout's masks belong to the example, not to the cut.
        expect(Math.abs(same.loss / loss - 1)).toBeLessThan(1e-5);
        expect(Math.abs(same.gradientNorm / gradientNorm - 1)).toBeLessThan(1e-5);
        expect(same.correct).toBe(correct);
      }
      for (const [name, { data }] of whole.state) {
        expect(maximumError(cut.state.get(name)?.data ?? [], data), name).toBeLessThan(1e-5);
      }
    }
  });

  it('tells of each micro-batch', async () => {
    expect((await steps(smallNet(), { microBatchSize: 3 }, batchOf(7), 1)).examplesDone).toEqual([3, 6, 7]);
    expect((await steps(smallNet(), { microBatchSize: 8 }, batchOf(7), 1)).examplesDone).toEqual([7]);
  });

  it('averages the loss over the batch', async () => {
    const batch = batchOf(6);
    const pixels = 64;
    const one = (i: number): Batch => ({
      images: batch.images.subarray(i * pixels, (i + 1) * pixels),
      labels: batch.labels.subarray(i, i + 1),
      length: 1,
    });
    const net = initialised(sequential(conv2d(1, 3, 3), adaptiveAvgPool2d([1, 1]), flatten()));
    let sum = 0;
    let correct = 0;
    for (let i = 0; i < 6; i++) {
      const [result] = (await steps(net, { microBatchSize: 1 }, one(i), 1)).results;
      sum += result?.loss ?? Number.NaN;
      correct += result?.correct ?? Number.NaN;
    }
    const [whole] = (await steps(net, { microBatchSize: 6 }, batch, 1)).results;
    expect(Math.abs((whole?.loss ?? Number.NaN) / (sum / 6) - 1)).toBeLessThan(1e-5);
    expect(whole?.correct).toBe(correct);
  });

  it('sees a batch as a whole with batch normalisation, whatever size is asked for', async () => {
    const net = () =>
      initialised(sequential(conv2d(1, 3, 3), batchNorm2d(3), relu(), adaptiveAvgPool2d([1, 1]), flatten()));
    const batch = batchOf(7);
    const asked = await steps(net(), { microBatchSize: 2 }, batch);
    const whole = await steps(net(), { microBatchSize: 7 }, batch);
    expect(asked.examplesDone).toEqual([7, 7]);
    expect(asked).toEqual(whole);
    expect([...(asked.state.get('1.running_var')?.data ?? [1])]).not.toContain(1);
  });
});

describe('a step', () => {
  it('leaves the network that it was given alone', async () => {
    const net = smallNet();
    const before = new Map([...stateDict(net)].map(([name, { data }]) => [name, data.slice()]));
    const { state } = await steps(net, {}, batchOf(4));
    for (const [name, { data }] of stateDict(net)) {
      expect(data).toEqual(before.get(name));
      expect(state.get(name)?.data).not.toEqual(data);
    }
  });

  it('has masks of its own: another step or seed drops other elements', async () => {
    const net = initialised(sequential(conv2d(1, 3, 3), dropout(0.5), adaptiveAvgPool2d([1, 1]), flatten()));
    const lossOf = async (step: number, seed: number) => {
      const stepper = new Stepper(engine, net, configOf(net, { seed }), INPUT);
      const { loss } = await stepper.step(batchOf(4), step, 0.1);
      await stepper.release();
      return loss;
    };
    const losses = [await lossOf(0, 1), await lossOf(1, 1), await lossOf(0, 2)];
    expect(new Set(losses).size).toBe(3);
    expect(await lossOf(0, 1)).toBe(losses[0]);
  });

  it('keeps the weights where the loss is not finite', async () => {
    const net = smallNet();
    stateDict(net).get('5.bias')?.data.fill(Number.NaN);
    const { results, state } = await steps(net, {}, batchOf(4), 1);
    expect(results[0]?.loss).toBeNaN();
    expect(state.get('0.weight')?.data).toEqual(stateDict(net).get('0.weight')?.data);
  });

  it('gives its update the gradient with respect to the mean loss', async () => {
    // Without hidden layers the gradient of the bias is the mean of softmax - one-hot, here by hand.
    const net = sequential(conv2d(1, 3, 8), flatten());
    const state = new Map([
      ['0.weight', tensor([3, 1, 8, 8])],
      ['0.bias', tensor([3], Float32Array.of(0, Math.log(2), 0))],
    ]);
    for (const [name, value] of state) [...net][0]?.state.set(name.slice(2), value);
    expect(sizeOf(state.get('0.weight')?.shape ?? [])).toBe(192);
    const batch = batchOf(5);
    const counts = [0, 1, 2].map((k) => batch.labels.filter((label) => label === k).length);
    const { state: after, results } = await steps(net, { microBatchSize: 2 }, batch, 1);
    const softmax = [0.25, 0.5, 0.25];
    const expected = softmax.map((p, k) => (state.get('0.bias')?.data[k] ?? 0) - 0.1 * (p - (counts[k] ?? 0) / 5));
    expect(maximumError(after.get('0.bias')?.data ?? [], expected)).toBeLessThan(1e-6);
    const loss = softmax.reduce((sum, p, k) => sum - ((counts[k] ?? 0) / 5) * Math.log(p), 0);
    expect(results[0]?.loss).toBeCloseTo(loss, 6);
  });
});
