/** Winograd's tiles: the matrices by their definition, and whole convolutions against the plain way. */

import fc from 'fast-check';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { backpropagate } from '../../src/autodiff/gradients.js';
import { OnnxBuilder } from '../../src/engine/onnx/onnxBuilder.js';
import { MOST_POINTS, toomCook } from '../../src/engine/onnx/recipes/toomCook.js';
import { winogradFor } from '../../src/engine/onnx/recipes/winograd.js';
import { toOnnx } from '../../src/engine/onnx/toOnnx.js';
import * as build from '../../src/graph/build.js';
import { Graph } from '../../src/graph/graph.js';
import { hashUniform, maximumError } from '../support/reference.js';

const times = (matrix: readonly (readonly number[])[], vector: readonly number[]) =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0));

describe('toomCook', () => {
  it('filters whole numbers exactly', () => {
    const numbers = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: MOST_POINTS, maxLength: MOST_POINTS });
    const sizes = fc
      .record({ m: fc.integer({ min: 1, max: 6 }), r: fc.integer({ min: 1, max: 7 }) })
      .filter(({ m, r }) => m + r - 1 >= 2 && m + r - 1 <= MOST_POINTS);
    fc.assert(
      fc.property(sizes, numbers, numbers, ({ m, r }, inputs, taps) => {
        const { output, filter, input } = toomCook(m, r);
        const [d, g] = [inputs.slice(0, m + r - 1), taps.slice(0, r)];
        const values = times(input, d);
        const products = times(filter, g).map((value, i) => value * (values[i] ?? 0));
        const direct = Array.from({ length: m }, (_, i) => g.reduce((sum, tap, j) => sum + tap * (d[i + j] ?? 0), 0));
        for (const [i, y] of times(output, products).entries()) expect(y).toBeCloseTo(direct[i] ?? Number.NaN, 8);
      }),
    );
  });

  it('refuses more outputs and taps than it has points for', () => {
    expect(() => toomCook(5, 5)).toThrow('toomCook: 5 outputs of 5 taps need 9 points of 8.');
  });
});

const convolution = {
  images: 2,
  inChannels: 96,
  outChannels: 256,
  kernel: 5,
  padding: 2,
  inputSize: [26, 26],
  outputSize: [26, 26],
} as const;

describe('tiles are taken', () => {
  const isTaken = (changes: Partial<Parameters<typeof winogradFor>[1]>, device: 'cpu' | 'webgpu' = 'cpu') =>
    winogradFor(new OnnxBuilder(device), { ...convolution, ...changes }) !== undefined;

  it('for large kernels between many channels on a CPU', () => {
    expect(isTaken({})).toBe(true);
    expect(isTaken({ kernel: 3, padding: 1 })).toBe(true);
  });

  it('and not for 1x1, few channels, a graphics card, or an image of one place', () => {
    expect(isTaken({ kernel: 1, padding: 0 })).toBe(false);
    expect(isTaken({ inChannels: 16 })).toBe(false);
    expect(isTaken({ outChannels: 10 })).toBe(false);
    expect(isTaken({}, 'webgpu')).toBe(false);
    expect(isTaken({ inputSize: [1, 1], outputSize: [1, 1] })).toBe(false);
  });
});

describe('a convolution by tiles', () => {
  it('and its gradients equal the plain ones', async () => {
    const side = fc.integer({ min: 2, max: 13 });
    const cases = fc
      .record({
        images: fc.integer({ min: 1, max: 3 }),
        inChannels: fc.integer({ min: 32, max: 40 }),
        outChannels: fc.integer({ min: 32, max: 40 }),
        kernel: fc.constantFrom(3, 5),
        padding: fc.integer({ min: 0, max: 3 }),
        height: side,
        width: side,
        seed: fc.integer({ min: 0, max: 1_000_000 }),
      })
      .filter(({ kernel, padding, height, width }) => {
        const outputSize = [height, width].map((length) => length + 2 * padding - kernel + 1);
        if (outputSize.some((length) => length < 1)) return false;
        const sizes = { kernel, padding, inputSize: [height, width], outputSize } as unknown as typeof convolution;
        return winogradFor(new OnnxBuilder('cpu'), { ...convolution, ...sizes }) !== undefined;
      });
    await fc.assert(
      fc.asyncProperty(cases, async ({ images, inChannels, outChannels, kernel, padding, height, width, seed }) => {
        const graph = new Graph();
        const x = graph.input('x', [images, inChannels, height, width]);
        const weight = graph.input('weight', [outChannels, inChannels, kernel, kernel]);
        const bias = graph.input('bias', [outChannels]);
        const y = build.conv2d(x, weight, bias, 1, padding);
        const dy = graph.input('dy', y.shape);
        graph.output('y', y);
        for (const [i, gradient] of backpropagate(y, dy, [x, weight, bias]).entries()) graph.output(`d${i}`, gradient);
        const feeds: Record<string, OrtTensor> = {};
        for (const [name, { shape }] of graph.inputs) {
          const data = hashUniform(
            seed + name.length,
            shape.reduce((a, b) => a * b, 1),
          );
          feeds[`in.${name}`] = new OrtTensor('float32', Float32Array.from(data), shape);
        }
        const run = async (device: 'cpu' | 'webgpu') => {
          const session = await InferenceSession.create(toOnnx(graph, device), { intraOpNumThreads: 1 });
          const results = await session.run(feeds);
          await session.release();
          return results;
        };
        // The plain way is the one written for graphics cards, which a CPU can run as well.
        const [tiles, plain] = [await run('cpu'), await run('webgpu')];
        for (const name of graph.outputs.keys()) {
          const [actual, expected] = [tiles, plain].map((results) => results[`out.${name}`]?.data as Float32Array);
          expect(maximumError(actual ?? [], expected ?? []), name).toBeLessThan(2e-5);
        }
      }),
      { numRuns: 40 },
    );
  });
});
