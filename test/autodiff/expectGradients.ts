/**
 * Compares backpropagated gradients with central differences of the graph itself, which needs no second
 * implementation: the slope of sum(y * outputGradient) along a random direction of one input is that input's gradient
 * times the direction.
 *
 * The slope is taken by the five-point formula, which is exact for polynomials up to the fourth degree, and off by
 * step^4 / 30 of the fifth derivative elsewhere. Inputs, directions and steps are multiples of powers of two, so that
 * moving an input loses no bit, and for linear operators on small images neither does the sum of products.
 */

import { expect } from 'vitest';
import { backpropagate } from '../../src/autodiff/gradients.js';
import { Graph, type Value } from '../../src/graph/graph.js';
import type { Tensor, TensorData } from '../../src/graph/tensor.js';
import { type Shape, sizeOf } from '../../src/graph/tensorType.js';
import { hashUniform } from '../support/reference.js';
import { engine, type TestInput } from '../support/runGraph.js';

/** Multiples of 1/64 in [-1, 1), each a function of the seed and its place. */
export function numbers(seed: number, shape: Shape): TestInput {
  return { shape, data: hashUniform(seed, sizeOf(shape)).map((value) => Math.floor(64 * value) / 64) };
}

/**
 * The numbers ..., -3/2, -1/2, 1/2, 3/2, ... times `gap` in an order that the seed decides: no two are nearer to each
 * other than `gap`, none is nearer to 0 than half of it, so small moves change no order and no sign.
 */
export function distinctNumbers(seed: number, shape: Shape, gap: number): TestInput {
  const length = sizeOf(shape);
  const keys = hashUniform(seed, length);
  const order = Array.from({ length }, (_, i) => i).sort((a, b) => (keys[a] as number) - (keys[b] as number));
  return { shape, data: Float32Array.from(order, (place) => (place - Math.floor(length / 2) + 0.5) * gap) };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};
const norm = (a: ArrayLike<number>) => Math.sqrt(dot(a, a));

export interface GradientCheck {
  readonly inputs: Readonly<Record<string, TestInput>>;
  /** Names of the inputs whose gradients are checked. */
  readonly wanted: readonly string[];
  readonly build: (values: Readonly<Record<string, Value>>) => Value;
  /** How the gradients are made; absent: from a random gradient of the output, by `backpropagate`. */
  readonly gradients?: (values: Readonly<Record<string, Value>>, wanted: readonly Value[]) => Value[];
  /** A power of two. */
  readonly step: number;
  /** Allowed error of the slope, relative to the most that it could be. */
  readonly tolerance: number;
  readonly seed: number;
}

/** @returns the largest error found, in units of the tolerance (for whoever sets one) */
export async function expectGradients(check: GradientCheck): Promise<number> {
  const { inputs, wanted, step, tolerance, seed } = check;
  const graph = new Graph();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [
      name,
      graph.input(name, shape, data instanceof Int32Array ? 'int32' : 'float32'),
    ]),
  );
  const wantedValues = wanted.map((name) => values[name] as Value);
  const y = check.build(values);
  const outputGradient = check.gradients ? { shape: y.shape, data: Float32Array.of(1) } : numbers(seed + 100, y.shape);
  const gradients = check.gradients
    ? check.gradients(values, wantedValues)
    : backpropagate(y, graph.input('outputGradient', y.shape), wantedValues);
  graph.output('y', y);
  for (const [i, gradient] of gradients.entries()) graph.output(`d.${wanted[i]}`, gradient);

  const executable = await engine.compile(graph);
  const run = (moved: Readonly<Record<string, TensorData>>) => {
    const data = Object.entries({ ...inputs, outputGradient }).map(([name, input]) => [name, input.data] as const);
    return executable.run(new Map<string, TensorData>([...data, ...Object.entries(moved)]));
  };
  const still = await run({});
  const result = (still.get('y') as Tensor).data;
  let worst = 0;
  for (const [i, name] of wanted.entries()) {
    const { shape, data } = inputs[name] as TestInput;
    const gradient = still.get(`d.${name}`) as Tensor;
    expect(gradient.shape, `shape of the gradient of ${name}`).toEqual(shape);
    const direction = numbers(seed + 200 + i, shape).data;
    const at = async (times: number) => {
      const moved = Float32Array.from(data, (x, j) => x + times * step * (direction[j] as number));
      return dot((await run({ [name]: moved })).get('y')?.data ?? [], outputGradient.data);
    };
    const slope = (8 * ((await at(1)) - (await at(-1))) - ((await at(2)) - (await at(-2)))) / (12 * step);
    // By Cauchy and Schwarz no slope is larger than the first product; the second is where float32 rounds the outputs.
    const scale = norm(gradient.data) * norm(direction) + norm(result) * norm(outputGradient.data);
    const error = Math.abs(slope - dot(gradient.data, direction));
    expect(error, `slope of ${name}: ${slope}`).toBeLessThanOrEqual(tolerance * scale);
    worst = Math.max(worst, scale === 0 ? 0 : error / (tolerance * scale));
  }
  await executable.release();
  return worst;
}
