/** Every operator's output shapes, and what a misfit is told: the values that do not fit and what would. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as build from '../../src/graph/build.js';
import { Graph, type Value } from '../../src/graph/graph.js';
import { GraphError, windowOutput } from '../../src/graph/operators.js';
import type { DataType, Shape } from '../../src/graph/tensorType.js';

/** Makes unnamed inputs of a graph of its own. */
function inputs(): (shape: Shape, dtype?: DataType) => Value {
  const graph = new Graph();
  return (shape, dtype) => graph.input(`input ${graph.inputs.size}`, shape, dtype);
}

const noAttributes = {};
const pool = (kernelSize: number, stride: number, padding: number) => ({ kernelSize, stride, padding });

describe('output shapes', () => {
  it.each<[string, Shape, (of: ReturnType<typeof inputs>) => Value]>([
    ['resizeImages', [5, 1, 12, 9], (of) => build.resizeImages(of([5, 28, 30], 'uint8'), 12, 9)],
    ['affine', [2, 3], (of) => build.affine(of([2, 3]), 2, 1)],
    ['conv2d', [2, 5, 7, 4], (of) => build.conv2d(of([2, 3, 14, 8]), of([5, 3, 3, 3]), of([5]), 2, 1)],
    ['sumPerChannel', [3], (of) => build.sumPerChannel(of([2, 3, 4, 5]))],
    ['relu', [4], (of) => build.relu(of([4]))],
    ['maxPool2d', [1, 2, 26, 3], (of) => build.maxPool2d(of([1, 2, 54, 7]), pool(3, 2, 0))],
    ['adaptiveAvgPool2d', [2, 3, 1, 9], (of) => build.adaptiveAvgPool2d(of([2, 3, 4, 5]), 1, 9)],
    ['reshape', [6, 1, 4], (of) => build.reshape(of([2, 3, 4]), [6, 1, 4])],
    ['flatten', [2, 60], (of) => build.flatten(of([2, 3, 4, 5]))],
    ['matmul', [2, 4], (of) => build.matmul(of([2, 3]), of([3, 4]))],
    ['matmul of transposed', [3, 5], (of) => build.matmul(of([2, 3]), of([5, 2]), true, true)],
    ['addBias', [2, 3], (of) => build.addBias(of([2, 3]), of([3]))],
    ['add', [2, 3], (of) => build.add(of([2, 3]), of([2, 3]))],
    ['softmaxCrossEntropy', [], (of) => build.softmaxCrossEntropy(of([4, 10]), of([4], 'int32'), of([4]))],
    ['globalNorm', [], (of) => build.globalNorm([of([2, 3])])],
    ['movingAverage', [3], (of) => build.movingAverage(of([3]), of([3]), 0.1)],
  ])('of %s', (_, shape, make) => {
    expect(make(inputs()).shape).toEqual(shape);
  });

  it('of batchNorm2d: the values, and a mean and a variance of each channel', () => {
    const of = inputs();
    const { y, mean, variance } = build.batchNorm2d(of([2, 3, 4, 5]), of([3]), of([3]), 1e-5);
    expect([y, mean, variance].map(({ shape }) => shape)).toEqual([[2, 3, 4, 5], [3], [3]]);
  });

  it('of sgdUpdate: a velocity comes out where one goes in', () => {
    const of = inputs();
    const attributes = { momentum: 0.9, nesterov: false, weightDecay: 0 };
    const [weight, gradient, rate, factor, velocity] = [of([3]), of([3]), of([]), of([]), of([3])];
    expect(build.sgdUpdate(weight, gradient, rate, factor, undefined, attributes).velocity).toBeUndefined();
    expect(build.sgdUpdate(weight, gradient, rate, factor, velocity, attributes).velocity?.shape).toEqual([3]);
  });

  it('of a window: the number of places where it fits', () => {
    const length = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(length, length, length, fc.integer({ min: 0, max: 5 }), (input, kernel, stride, padding) => {
        let places = 0;
        for (let begin = -padding; begin + kernel <= input + padding; begin += stride) places++;
        // Where it fits nowhere the formula may fall below 0, which is refused as well.
        expect(Math.max(0, windowOutput(input, kernel, stride, padding))).toBe(places);
      }),
    );
  });
});

describe('misfits', () => {
  it.each<[string, string, (of: ReturnType<typeof inputs>) => unknown]>([
    [
      'channels',
      'conv2d: the weight expects 96 input channels, the input has 3.',
      (of) => build.conv2d(of([1, 3, 8, 8]), of([10, 96, 3, 3]), undefined, 1, 1),
    ],
    [
      'kernels that are not square',
      'conv2d: kernels must be square, the weight has the shape 10x3x3x5.',
      (of) => build.conv2d(of([1, 3, 8, 8]), of([10, 3, 3, 5]), undefined, 1, 1),
    ],
    [
      'a bias of another length',
      'conv2d: the bias must have the shape 10, it has 3.',
      (of) => build.conv2d(of([1, 3, 8, 8]), of([10, 3, 3, 3]), of([3]), 1, 1),
    ],
    [
      'an image that is too small for a kernel',
      'conv2d: a 11x11 window with padding 2 does not fit an input of 9x6; the input must be at least 7 high and wide.',
      (of) => build.conv2d(of([1, 1, 9, 6]), of([4, 1, 11, 11]), undefined, 4, 2),
    ],
    [
      'an image without batch',
      'conv2d: the input must have 4 dimensions, its shape is 1x28x28.',
      (of) => build.conv2d(of([1, 28, 28]), of([4, 1, 3, 3]), undefined, 1, 0),
    ],
    [
      'a flat weight',
      'conv2d: the weight must have 4 dimensions, its shape is 4x9.',
      (of) => build.conv2d(of([1, 1, 28, 28]), of([4, 9]), undefined, 1, 0),
    ],
    [
      'an image that is too small for a pool',
      'maxPool2d: a 3x3 window with padding 0 does not fit an input of 2x7; the input must be at least 3 high and wide.',
      (of) => build.maxPool2d(of([1, 1, 2, 7]), pool(3, 2, 0)),
    ],
    [
      'a pool of padding only',
      'maxPool2d: padding 2 must be at most half the kernel size 3.',
      (of) => build.maxPool2d(of([1, 1, 9, 9]), pool(3, 2, 2)),
    ],
    [
      'images that are no bytes',
      'resizeImages: input 0 must be uint8, it is float32.',
      (of) => build.resizeImages(of([1, 28, 28]), 10, 10),
    ],
    [
      'a mean for other channels',
      'batchNorm2dInference: the per-channel vector must have the shape 3, it has 4.',
      (of) => build.batchNorm2dInference(of([1, 3, 8, 8]), of([3]), of([3]), of([4]), of([3]), 1e-5),
    ],
    [
      'a reshape that loses elements',
      'reshape: 2x3 cannot become 5: their sizes differ.',
      (of) => build.reshape(of([2, 3]), [5]),
    ],
    [
      'matrices that cannot be multiplied',
      'matmul: the inner dimensions 3 and 2 must be equal.',
      (of) => build.matmul(of([2, 3]), of([2, 3])),
    ],
    [
      'matrices that could be multiplied if they were not transposed',
      'matmul: the inner dimensions 2 and 4 must be equal.',
      (of) => build.matmul(of([2, 3]), of([3, 4]), true, true),
    ],
    [
      'a matrix that is none',
      'matmul: the second input must have 2 dimensions, its shape is 3.',
      (of) => build.matmul(of([2, 3]), of([3])),
    ],
    [
      'a bias for other features',
      'addBias: the bias must have the shape 3, it has scalar.',
      (of) => build.addBias(of([2, 3]), of([])),
    ],
    [
      'terms of two shapes',
      'add: the second input must have the shape 2x3, it has 3x2.',
      (of) => build.add(of([2, 3]), of([3, 2])),
    ],
    [
      'labels for fewer examples',
      'softmaxCrossEntropy: the labels must have the shape 4, it has 3.',
      (of) => build.softmaxCrossEntropy(of([4, 10]), of([3], 'int32'), of([4])),
    ],
    [
      'labels of another type',
      'softmaxCrossEntropy: input 1 must be int32, it is float32.',
      (of) => build.softmaxCrossEntropy(of([4, 10]), of([4]), of([4])),
    ],
    [
      'a gradient of another shape',
      'sgdUpdate: the gradient must have the shape 3, it has 4.',
      (of) =>
        build.sgdUpdate(of([3]), of([4]), of([]), of([]), undefined, { momentum: 0, nesterov: false, weightDecay: 0 }),
    ],
    ['nothing', 'globalNorm: needs at least one input.', () => build.globalNorm([])],
    [
      'one factor',
      'matmul: needs two inputs.',
      (of) => {
        const a = of([2, 2]);
        a.graph.apply('matmul', [a], { transposeA: false, transposeB: false });
      },
    ],
    ['no term', 'add: needs an input.', () => new Graph().apply('add', [], noAttributes)],
  ])('%s', (_, message, make) => {
    expect(() => make(inputs())).toThrow(new GraphError(message));
  });

  it.each<[string, (of: ReturnType<typeof inputs>) => unknown]>([
    ['bytes where an operator works on floats', (of) => build.relu(of([2], 'uint8'))],
    ['images where addBias adds along the last axis', (of) => build.addBias(of([2, 3, 4, 5]), of([3]))],
  ])('%s', (_, make) => {
    expect(() => make(inputs())).toThrow(GraphError);
  });

  it('leave the graph as it was', () => {
    const graph = new Graph();
    const a = graph.input('a', [2, 3]);
    const before = graph.toString();
    expect(() => build.matmul(a, a)).toThrow(GraphError);
    expect(graph.toString()).toBe(before);
  });
});
