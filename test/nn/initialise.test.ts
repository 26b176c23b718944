/** How weights start: in the bounds and with the moments of each scheme, and the same for the same seed. */

import { describe, expect, it } from 'vitest';
import { INITIALISATIONS, initialise } from '../../src/nn/initialise.js';
import { batchNorm2d } from '../../src/nn/layers/batchNorm2d.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { linear } from '../../src/nn/layers/linear.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import { nin } from '../../src/nn/models/nin.js';
import { stateDict } from '../../src/nn/stateDict.js';

/** 10,000 weights in each layer: a convolution of fan-in 16 * 25 and fan-out 25 * 25, and 200 features to 50. */
const makeNet = () => sequential(conv2d(16, 25, 5), linear(200, 50), batchNorm2d(7));

/** The tensors of a network that starts so, by name. */
function start(scheme: (typeof INITIALISATIONS)[number] | undefined, seed?: number): Record<string, number[]> {
  const net = makeNet();
  initialise(net, scheme, seed);
  return Object.fromEntries([...stateDict(net)].map(([name, { data }]) => [name, [...data]]));
}

const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
const deviation = (x: readonly number[]) => {
  const centre = mean(x);
  return Math.sqrt(mean(x.map((value) => (value - centre) ** 2)));
};
const largest = (x: readonly number[]) => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Uniform in +-bound: nothing beyond it, something near both ends, mean and deviation within four standard errors. */
function expectUniform(x: readonly number[], bound: number): void {
  expect(largest(x)).toBeLessThanOrEqual(bound * (1 + 1e-6));
  const expected = bound / Math.sqrt(3);
  const error = 1 / Math.sqrt(x.length);
  expect(Math.abs(mean(x))).toBeLessThan(4 * expected * error);
  expect(Math.abs(deviation(x) / expected - 1)).toBeLessThan(4 * 0.45 * error);
  if (x.length < 1000) return;
  expect(Math.max(...x)).toBeGreaterThan(0.99 * bound);
  expect(Math.min(...x)).toBeLessThan(-0.99 * bound);
}

describe('xavierUniform, the scheme of the book', () => {
  const state = start('xavierUniform');

  it('draws weights within sqrt(6 / (fanIn + fanOut))', () => {
    expectUniform(state['0.weight'] ?? [], Math.sqrt(6 / (16 * 25 + 25 * 25)));
    expectUniform(state['1.weight'] ?? [], Math.sqrt(6 / (200 + 50)));
  });

  it('draws biases as PyTorch does, within 1 / sqrt(fanIn)', () => {
    expectUniform(state['0.bias'] ?? [], 1 / Math.sqrt(16 * 25));
    expectUniform(state['1.bias'] ?? [], 1 / Math.sqrt(200));
  });
});

describe('pytorch', () => {
  const state = start('pytorch');

  it('draws weights and biases within 1 / sqrt(fanIn)', () => {
    expectUniform(state['0.weight'] ?? [], 1 / Math.sqrt(16 * 25));
    expectUniform(state['0.bias'] ?? [], 1 / Math.sqrt(16 * 25));
    expectUniform(state['1.weight'] ?? [], 1 / Math.sqrt(200));
    expectUniform(state['1.bias'] ?? [], 1 / Math.sqrt(200));
  });

  it('is the default', () => {
    expect(start(undefined)).toEqual(state);
    expect(start('pytorch', 0)).toEqual(state);
  });
});

describe('heNormal', () => {
  const state = start('heNormal');

  it.each([
    ['0.weight', 16 * 25],
    ['1.weight', 200],
  ])('draws %s normal with deviation sqrt(2 / fanIn)', (name, fanIn) => {
    const x = state[name] ?? [];
    const expected = Math.sqrt(2 / fanIn);
    expect(x).toHaveLength(10_000);
    // Four standard errors: 1 / sqrt(n) of the mean, 1 / sqrt(2 n) of the deviation.
    expect(Math.abs(mean(x)) / expected).toBeLessThan(0.04);
    expect(Math.abs(deviation(x) / expected - 1)).toBeLessThan(0.028);
    // A normal number is beyond two deviations in 4.55% of all cases; a uniform one never is.
    const beyond = x.filter((value) => Math.abs(value) > 2 * expected).length / x.length;
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(4 * 0.0021);
  });

  it('starts biases at 0', () => {
    expect(largest([...(state['0.bias'] ?? [1]), ...(state['1.bias'] ?? [1])])).toBe(0);
  });
});

describe('aliveLogits', () => {
  const net = nin();
  initialise(net, 'aliveLogits', 3);
  const state = stateDict(net);
  const valuesOf = (name: string) => [...(state.get(name)?.data ?? [])];

  it('starts the 1x1 convolutions at the end as the identity', () => {
    const identity = Array.from({ length: 100 }, (_, i) => Number(i % 11 === 0));
    for (const layer of ['7.2', '7.4']) {
      expect(valuesOf(`${layer}.weight`)).toEqual(identity);
      expect(valuesOf(`${layer}.bias`)).toEqual(new Array(10).fill(0));
    }
  });

  it('starts the convolution before them with small weights and equal, positive biases', () => {
    const [bias] = valuesOf('7.0.bias');
    expect(bias).toBeGreaterThan(0);
    expect(valuesOf('7.0.bias')).toEqual(new Array(10).fill(bias));
    const he = Math.sqrt(2 / (384 * 9));
    expect(deviation(valuesOf('7.0.weight'))).toBeLessThan(0.5 * he);
    expect(deviation(valuesOf('7.0.weight'))).toBeGreaterThan(0.1 * he);
  });

  it('starts everything else as heNormal', () => {
    const other = nin();
    initialise(other, 'heNormal', 3);
    for (const [name, { data }] of stateDict(other))
      if (!name.startsWith('7.')) expect(valuesOf(name)).toEqual([...data]);
  });
});

describe.each(INITIALISATIONS)('%s', (scheme) => {
  it('gives the same weights for the same seed, and others for another', () => {
    const state = start(scheme, 5);
    expect(start(scheme, 5)).toEqual(state);
    const other = start(scheme, 6);
    for (const name of ['0.weight', '1.weight']) expect(other[name]).not.toEqual(state[name]);
  });

  it('draws other numbers for each tensor', () => {
    const state = start(scheme, 5);
    const [first, second] = ['0.weight', '1.weight'].map((name) => state[name] ?? []);
    // Scaled to the same deviation they would be equal if both came from one sequence.
    const scaled = (x: readonly number[] = []) => {
      const unit = deviation(x);
      return x.slice(0, 8).map((value) => value / unit);
    };
    expect(Math.max(...scaled(first).map((x, i) => Math.abs(x - (scaled(second)[i] ?? 0))))).toBeGreaterThan(0.1);
  });

  it('starts a normalisation as the identity', () => {
    const state = start(scheme);
    expect(state['2.weight']).toEqual(new Array(7).fill(1));
    expect(state['2.bias']).toEqual(new Array(7).fill(0));
    expect(state['2.running_mean']).toEqual(new Array(7).fill(0));
    expect(state['2.running_var']).toEqual(new Array(7).fill(1));
  });

  it('starts a network afresh that has been started before', () => {
    const net = makeNet();
    initialise(net, scheme, 1);
    for (const { data } of stateDict(net).values()) data.fill(9);
    initialise(net, scheme, 5);
    const state = Object.fromEntries([...stateDict(net)].map(([name, { data }]) => [name, [...data]]));
    expect(state).toEqual(start(scheme, 5));
  });
});
