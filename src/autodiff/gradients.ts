/**
 * Reverse-mode differentiation of a graph: walks the nodes from the loss back and writes each node's gradient rule
 * (rules.ts) down into the same graph. The result is again a graph, so an engine needs to know nothing of training.
 */

import { add, softmaxCrossEntropyGrad } from '../graph/build.js';
import type { Node, Value } from '../graph/graph.js';
import { GraphError } from '../graph/operators.js';
import { applyRule } from './rules.js';

/** Values whose gradient is needed: the wanted ones and all that is computed from them. */
function dependents(nodes: readonly Node[], wanted: readonly Value[]): Set<Value> {
  const needed = new Set(wanted);
  for (const node of nodes) {
    if (node.inputs.some((input) => needed.has(input))) for (const output of node.outputs) needed.add(output);
  }
  return needed;
}

/**
 * Backpropagates a given gradient: extends the graph by d(sum(output * seed)) / d(value) for each wanted value.
 * @param output what is differentiated
 * @param seed the gradient of the loss for `output`, of its shape
 * @param wanted values to differentiate for
 * @returns the gradients, in the order of `wanted`
 * @throws GraphError where `output` does not depend on a wanted value, or an operator between has no gradient
 */
export function backpropagate(output: Value, seed: Value, wanted: readonly Value[]): Value[] {
  const nodes = [...output.graph.nodes];
  const needed = dependents(nodes, wanted);
  const gradients = new Map<Value, Value>([[output, seed]]);
  for (const node of nodes.reverse()) {
    const [first, ...statistics] = node.outputs;
    const needs = node.inputs.map((input) => needed.has(input));
    if (!needs.includes(true)) continue;
    if (statistics.some((output) => gradients.has(output))) {
      throw new GraphError(`${node.operator} has a gradient rule for its first output only.`);
    }
    const dy = first && gradients.get(first);
    if (!dy) continue;
    const inputGradients = applyRule(node, dy, needs);
    if (!inputGradients) throw new GraphError(`${node.operator} has no gradient rule.`);
    for (const [i, input] of node.inputs.entries()) {
      const gradient = inputGradients[i];
      if (!gradient || !needs[i]) continue;
      const sum = gradients.get(input);
      gradients.set(input, sum ? add(sum, gradient) : gradient);
    }
  }
  return wanted.map((value) => {
    const gradient = gradients.get(value);
    if (!gradient) throw new GraphError(`The output does not depend on $${value.inputName ?? `%${value.id}`}.`);
    return gradient;
  });
}

/**
 * Gradients of `softmaxCrossEntropy(logits, labels, weights)` for the wanted values.
 * @returns the gradients, in the order of `wanted`
 */
export function lossGradients(logits: Value, labels: Value, weights: Value, wanted: readonly Value[]): Value[] {
  return backpropagate(logits, softmaxCrossEntropyGrad(logits, labels, weights), wanted);
}
