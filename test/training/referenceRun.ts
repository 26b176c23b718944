/** Runs the training graphs on a fixture's batches, with the fixture's dropout masks, and compares the outcome. */

import { expect } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { TensorData } from '../../src/graph/tensor.js';
import type { Layer } from '../../src/nn/layer.js';
import { dropout, flatten } from '../../src/nn/layers/pointwise.js';
import { adaptiveAvgPool2d, maxPool2d } from '../../src/nn/layers/pooling.js';
import { type Sequential, sequential } from '../../src/nn/layers/sequential.js';
import { ninBlock } from '../../src/nn/models/nin.js';
import { parameterNames } from '../../src/nn/stateDict.js';
import type { TrainingConfig } from '../../src/training/config.js';
import { gradientGraph, updateGraph } from '../../src/training/networkGraph.js';
import {
  type NinShape,
  type NinTraining,
  type ReferenceOptimizer,
  sampleErrors,
  sizeOf,
} from '../support/reference.js';

/** The book's network with the channels of a fixture. */
export function ninOf({ channels: [a, b, c] }: NinShape): Sequential {
  return sequential(
    ninBlock(1, a, 11, 4, 0),
    maxPool2d(3, { stride: 2 }),
    ninBlock(a, b, 5, 1, 2),
    maxPool2d(3, { stride: 2 }),
    ninBlock(b, c, 3, 1, 1),
    maxPool2d(3, { stride: 2 }),
    dropout(0.5),
    ninBlock(c, 10, 3, 1, 1),
    adaptiveAvgPool2d([1, 1]),
    flatten(),
  );
}

export function optimizerOf({
  clipNorm,
  momentum,
  nesterov,
  weightDecay,
}: ReferenceOptimizer): TrainingConfig['optimizer'] {
  return { momentum, nesterov, weightDecay, maxGradientNorm: clipNorm };
}

/** What a run found out: losses and norms of its steps, and the parameters after the last. */
export interface Run {
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  readonly parameters: ReadonlyMap<string, Float32Array>;
}

/**
 * Trains on the batches of a fixture. The Stepper draws masks of its own, so its two graphs are run here by hand:
 * gradients of a batch, then the update.
 */
export async function trainOn(engine: Engine, net: Layer, fixture: NinTraining): Promise<Run> {
  const { batchSize, images, labels, optimizer, network, masks } = fixture;
  const pixels = 28 * 28;
  const { graph } = gradientGraph(net, batchSize, { height: 28, width: 28, transform: { resize: network.resize } });
  const gradients = await engine.compile(graph);
  const update = await engine.compile(updateGraph(net, optimizerOf(optimizer)));
  const names = parameterNames(net);
  const parameters = new Map<string, Float32Array>(
    names.map((name) => [name, fixture.parameters[name]?.data ?? new Float32Array()]),
  );
  const velocities = new Map<string, Float32Array>(
    names.map((name) => [name, new Float32Array(parameters.get(name)?.length ?? 0)]),
  );
  const losses: number[] = [];
  const norms: number[] = [];
  for (const [step, mask] of masks.entries()) {
    const inputs = new Map<string, TensorData>([
      ['images', images.subarray(step * batchSize * pixels, (step + 1) * batchSize * pixels)],
      ['labels', Int32Array.from(labels.slice(step * batchSize, (step + 1) * batchSize))],
      ['weights', new Float32Array(batchSize).fill(1 / batchSize)],
      ['mask.6', mask.data],
    ]);
    for (const [name, data] of parameters) {
      inputs.set(`parameter.${name}`, data);
      inputs.set(`gradient.${name}`, new Float32Array(data.length));
    }
    const outputs = await gradients.run(inputs);
    losses.push(outputs.get('loss')?.data[0] ?? Number.NaN);
    const updateInputs = new Map<string, TensorData>([['learningRate', Float32Array.of(optimizer.learningRate)]]);
    for (const name of names) {
      updateInputs.set(`parameter.${name}`, parameters.get(name) as Float32Array);
      updateInputs.set(`gradient.${name}`, outputs.get(`gradient.${name}`)?.data as Float32Array);
      if (optimizer.momentum > 0) updateInputs.set(`velocity.${name}`, velocities.get(name) as Float32Array);
    }
    const updated = await update.run(updateInputs);
    norms.push(updated.get('gradientNorm')?.data[0] ?? Number.NaN);
    for (const name of names) {
      parameters.set(name, updated.get(`parameter.${name}`)?.data as Float32Array);
      velocities.set(name, updated.get(`velocity.${name}`)?.data ?? new Float32Array());
    }
  }
  await gradients.release();
  await update.release();
  return { losses, norms, parameters };
}

/** Checks each loss within an absolute tolerance; a loss is about 2.3. */
export function expectLosses(losses: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(losses).toHaveLength(expected.length);
  for (const [i, loss] of losses.entries()) {
    expect(Math.abs(loss - (expected[i] ?? Number.NaN)), `loss of step ${i}`).toBeLessThan(tolerance);
  }
}

/** Checks every parameter of the fixture; errors are relative to the parameter's norm. */
export function expectParameters(
  parameters: ReadonlyMap<string, ArrayLike<number>>,
  expected: NinTraining['final'],
  toleranceOf: (name: string) => number,
): void {
  for (const [name, sample] of Object.entries(expected)) {
    const data = parameters.get(name);
    if (!data) throw new Error(`The run has no parameter ${name}.`);
    expect(data.length).toBe(sizeOf(sample.shape));
    for (const [what, error] of Object.entries(sampleErrors(data, sample))) {
      expect(error, `${what} of ${name}`).toBeLessThan(toleranceOf(name));
    }
  }
}
