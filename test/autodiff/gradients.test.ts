/** What backpropagation writes into a graph: only the gradients that were asked for, and an error where there is none. */

import { describe, expect, it } from 'vitest';
import { backpropagate, lossGradients } from '../../src/autodiff/gradients.js';
import * as build from '../../src/graph/build.js';
import { Graph } from '../../src/graph/graph.js';
import { GraphError } from '../../src/graph/operators.js';
import { nin } from '../../src/nn/models/nin.js';
import { gradientGraph } from '../../src/training/networkGraph.js';

/** How often a graph uses each operator. */
function countOperators(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operator } of graph.nodes) counts[operator] = (counts[operator] ?? 0) + 1;
  return counts;
}

describe('the training graph of NiN', () => {
  const { graph } = gradientGraph(nin(), 2, { height: 28, width: 28, transform: { resize: 224 } });
  const counts = countOperators(graph);

  it('differentiates every convolution for its weight and bias', () => {
    expect(counts.conv2d).toBe(12);
    expect(counts.conv2dWeightGrad).toBe(12);
    expect(counts.sumPerChannel).toBe(12);
  });

  it('does not differentiate the first convolution for the image', () => {
    expect(counts.conv2dInputGrad).toBe(11);
    const gradients = graph.nodes.filter(({ operator }) => operator === 'conv2dInputGrad');
    const first = graph.inputs.get('parameter.0.0.weight');
    expect(gradients.some(({ inputs }) => inputs.some((value) => value === first))).toBe(false);
  });

  it('differentiates each other layer once', () => {
    expect(counts).toMatchObject({
      reluGrad: 12,
      maxPool2dGrad: 3,
      adaptiveAvgPool2dGrad: 1,
      softmaxCrossEntropyGrad: 1,
    });
  });
});

describe('backpropagate', () => {
  function convolution() {
    const graph = new Graph();
    const x = graph.input('x', [1, 2, 5, 5]);
    const weight = graph.input('weight', [3, 2, 3, 3]);
    const bias = graph.input('bias', [3]);
    const y = build.relu(build.conv2d(x, weight, bias, 1, 0));
    return { graph, x, weight, bias, y, seed: graph.input('seed', y.shape) };
  }

  it('builds the gradient of the wanted input alone', () => {
    const { graph, y, seed, bias } = convolution();
    const [gradient] = backpropagate(y, seed, [bias]);
    expect(gradient?.shape).toEqual([3]);
    expect(countOperators(graph)).toEqual({ conv2d: 1, relu: 1, reluGrad: 1, sumPerChannel: 1 });
  });

  it('returns gradients in the order of the wanted values', () => {
    const { y, seed, x, weight, bias } = convolution();
    const gradients = backpropagate(y, seed, [bias, x, weight]);
    expect(gradients.map(({ shape }) => shape)).toEqual([bias.shape, x.shape, weight.shape]);
  });

  it('returns the given gradient for the output itself, and differentiates for values between', () => {
    const { graph, y, seed } = convolution();
    expect(backpropagate(y, seed, [y])).toEqual([seed]);
    const between = graph.nodes[0]?.outputs[0];
    if (!between) throw new Error('The graph has no convolution.');
    expect(backpropagate(y, seed, [between])[0]?.shape).toEqual(between.shape);
    expect(countOperators(graph)).toEqual({ conv2d: 1, relu: 1, reluGrad: 1 });
  });

  it('leaves branches alone that do not lead to the output', () => {
    const { graph, x, y, seed } = convolution();
    build.maxPool2d(x, { kernelSize: 2, stride: 2, padding: 0 });
    backpropagate(y, seed, [x]);
    expect(countOperators(graph).maxPool2dGrad).toBeUndefined();
  });

  it('refuses a value that the output does not depend on, by its name', () => {
    const { graph, y, seed } = convolution();
    const other = graph.input('other', [3]);
    expect(() => backpropagate(y, seed, [other])).toThrow(new GraphError('The output does not depend on $other.'));
  });

  it('refuses an output that depends on the statistics of a normalisation', () => {
    const graph = new Graph();
    const x = graph.input('x', [2, 3, 1, 1]);
    const { y, mean } = build.batchNorm2d(x, graph.input('weight', [3]), graph.input('bias', [3]), 1e-5);
    const output = build.addBias(build.flatten(y), mean);
    expect(() => backpropagate(output, graph.input('seed', output.shape), [x])).toThrow(GraphError);
  });

  it('refuses an operator that has no rule', () => {
    const graph = new Graph();
    const logits = graph.input('logits', [2, 3]);
    const loss = build.softmaxCrossEntropy(logits, graph.input('labels', [2], 'int32'), graph.input('weights', [2]));
    expect(() => backpropagate(loss, graph.input('one', []), [logits])).toThrow(
      new GraphError('softmaxCrossEntropy has no gradient rule.'),
    );
  });
});

describe('lossGradients', () => {
  it('starts from the logits: the loss itself need not be in the graph', () => {
    const graph = new Graph();
    const x = graph.input('x', [2, 4]);
    const weight = graph.input('weight', [4, 3]);
    const [labels, weights] = [graph.input('labels', [2], 'int32'), graph.input('weights', [2])];
    const [gradient] = lossGradients(build.matmul(x, weight), labels, weights, [weight]);
    expect(gradient?.shape).toEqual([4, 3]);
    expect(countOperators(graph)).toEqual({ matmul: 2, softmaxCrossEntropyGrad: 1 });
  });
});
