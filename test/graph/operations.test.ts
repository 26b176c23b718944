/** Operations counted node by node, against what the layers say of themselves. */

import { describe, expect, it } from 'vitest';
import * as build from '../../src/graph/build.js';
import { Graph } from '../../src/graph/graph.js';
import { operationsOf } from '../../src/graph/operations.js';
import { nin } from '../../src/nn/models/nin.js';
import { summary } from '../../src/nn/summary.js';
import { gradientGraph } from '../../src/training/networkGraph.js';

describe('operationsOf', () => {
  it("counts the book's network forward, and twice that backward but for the first layer's input", () => {
    const batch = 3;
    const { graph } = gradientGraph(nin(), batch, { height: 28, width: 28, transform: { resize: 224 } });
    const { multiplyAdds, rows } = summary(nin(), [1, 1, 224, 224]);
    const sumOf = (operator: string) =>
      graph.nodes.filter((node) => node.operator === operator).reduce((sum, node) => sum + operationsOf(node), 0);
    const first = rows[0]?.multiplyAdds ?? Number.NaN;
    expect(sumOf('conv2d')).toBe(2 * batch * multiplyAdds);
    expect(sumOf('conv2dWeightGrad')).toBe(2 * batch * multiplyAdds);
    expect(sumOf('conv2dInputGrad')).toBe(2 * batch * (multiplyAdds - first));
  });

  it('counts a matrix product, transposed or not', () => {
    const graph = new Graph();
    const [a, b, c] = [graph.input('a', [5, 7]), graph.input('b', [7, 11]), graph.input('c', [11, 7])];
    build.matmul(a, b);
    build.matmul(a, c, false, true);
    expect(graph.nodes.map(operationsOf)).toEqual([2 * 5 * 7 * 11, 2 * 5 * 7 * 11]);
  });

  it('counts nothing where memory is the limit', () => {
    const graph = new Graph();
    build.relu(graph.input('x', [2, 3]));
    expect(graph.nodes.map(operationsOf)).toEqual([0]);
  });
});
