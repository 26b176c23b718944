/** A graph: what it is made of, its names, and how it reads. */

import { describe, expect, it } from 'vitest';
import * as build from '../../src/graph/build.js';
import { Graph } from '../../src/graph/graph.js';
import { GraphError } from '../../src/graph/operators.js';
import { tensor } from '../../src/graph/tensor.js';
import { formatShape, sameShape, sizeOf } from '../../src/graph/tensorType.js';

describe('Graph', () => {
  it('reads as inputs, one node a line, and outputs', () => {
    const graph = new Graph();
    const images = graph.input('images', [2, 28, 28], 'uint8');
    const x = build.affine(build.resizeImages(images, 8, 8), 0.5, -1);
    const y = build.conv2d(x, graph.input('weight', [3, 1, 3, 3]), undefined, 1, 0);
    const { mean } = build.batchNorm2d(y, graph.input('gamma', [3]), graph.input('beta', [3]), 1e-5);
    graph.output('features', y);
    graph.output('mean', mean);
    graph.output('same', images);
    expect(graph.toString().split('\n')).toEqual([
      'input $images: uint8[2x28x28]',
      'input $weight: float32[3x1x3x3]',
      'input $gamma: float32[3]',
      'input $beta: float32[3]',
      '%1: float32[2x1x8x8] = resizeImages($images, height=8, width=8)',
      '%2: float32[2x1x8x8] = affine(%1, scale=0.5, shift=-1)',
      '%4: float32[2x3x6x6] = conv2d(%2, $weight, stride=1, padding=0)',
      '%7: float32[2x3x6x6], %8: float32[3], %9: float32[3] = batchNorm2d(%4, $gamma, $beta, epsilon=0.00001)',
      'output features: %4',
      'output mean: %8',
      'output same: $images',
    ]);
  });

  it('lists its nodes in an order in which they can run', () => {
    const graph = new Graph();
    const x = graph.input('x', [4]);
    build.multiply(build.relu(x), build.add(x, x));
    const known = new Set(graph.inputs.values());
    for (const { inputs, outputs } of graph.nodes) {
      for (const input of inputs) expect(known).toContain(input);
      for (const output of outputs) known.add(output);
    }
    expect(graph.nodes.map(({ operator }) => operator)).toEqual(['relu', 'add', 'multiply']);
  });

  it('refuses a second input or output of the same name', () => {
    const graph = new Graph();
    const x = graph.input('x', [1]);
    expect(() => graph.input('x', [1])).toThrow(new GraphError('The graph already has an input named "x".'));
    graph.output('x', x);
    expect(() => graph.output('x', x)).toThrow(new GraphError('The graph already has an output named "x".'));
  });

  it('refuses values of another graph', () => {
    const [a, b] = [new Graph(), new Graph()];
    const foreign = build.relu(b.input('y', [2]));
    const own = a.input('x', [2]);
    expect(() => build.add(own, foreign)).toThrow(new GraphError('add: input %1 belongs to another graph.'));
    expect(a.nodes).toHaveLength(0);
  });

  it('keeps shapes of its own', () => {
    const graph = new Graph();
    const shape = [2, 3];
    const x = graph.input('x', shape);
    shape[0] = 7;
    expect(x.shape).toEqual([2, 3]);
  });
});

describe('shapes', () => {
  it('have a size, and a scalar is one element', () => {
    expect([sizeOf([2, 3, 4]), sizeOf([]), sizeOf([5, 0])]).toEqual([24, 1, 0]);
  });

  it('read as people write them', () => {
    expect([formatShape([16, 96, 54, 54]), formatShape([])]).toEqual(['16x96x54x54', 'scalar']);
  });

  it('are the same where every length is', () => {
    expect(sameShape([1, 2], [1, 2])).toBe(true);
    expect(sameShape([1, 2], [2, 1])).toBe(false);
    expect(sameShape([1, 2], [1, 2, 1])).toBe(false);
  });
});

describe('tensor', () => {
  it('is filled with zeros where it gets no numbers', () => {
    expect(tensor([2, 2])).toEqual({ shape: [2, 2], data: new Float32Array(4) });
    expect(tensor([]).data).toHaveLength(1);
  });

  it('keeps the numbers it is given, and refuses another number of them', () => {
    const data = Float32Array.of(1, 2);
    expect(tensor([2], data).data).toBe(data);
    expect(() => tensor([3], data)).toThrow(new RangeError('A tensor of shape 3 needs 3 numbers, got 2.'));
  });
});
