/**
 * The numbers of a network under the names PyTorch gives them: `0.0.weight`, `0.0.bias`, ... A state dict moves
 * between networks, files and PyTorch.
 */

import { GraphError } from '../graph/operators.js';
import type { Tensor } from '../graph/tensor.js';
import { formatShape, type Shape, sameShape } from '../graph/tensorType.js';
import { join, type Layer } from './layer.js';

/** Tensors by full name, in the network's order. */
export type StateDict = Map<string, Tensor>;

/** Every layer inside a layer, itself included, with its place (`''`, `0`, `0.2`, ...), in order. */
export function* walk(layer: Layer, path = ''): Generator<{ path: string; layer: Layer }> {
  yield { path, layer };
  for (const [i, child] of layer.children.entries()) yield* walk(child, join(path, `${i}`));
}

/** Names and shapes of all parameters and buffers of a network, in PyTorch's order. */
export function stateShapes(net: Layer): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const { path, layer } of walk(net)) {
    for (const spec of [...layer.parameterSpecs, ...layer.bufferSpecs]) shapes.set(join(path, spec.name), spec.shape);
  }
  return shapes;
}

/** Names of the trainable tensors of a network, in PyTorch's order. */
export function parameterNames(net: Layer): string[] {
  return [...walk(net)].flatMap(({ path, layer }) => layer.parameterSpecs.map((spec) => join(path, spec.name)));
}

/** Number of trainable numbers of a network. */
export function parameterCount(net: Layer): number {
  let count = 0;
  for (const { layer } of walk(net)) {
    for (const { shape } of layer.parameterSpecs) count += shape.reduce((a, b) => a * b, 1);
  }
  return count;
}

/**
 * The tensors of a network, not copied.
 * @throws GraphError where the network has not been initialised
 */
export function stateDict(net: Layer): StateDict {
  const state: StateDict = new Map();
  for (const { path, layer } of walk(net)) {
    for (const { name } of [...layer.parameterSpecs, ...layer.bufferSpecs]) {
      const tensor = layer.state.get(name);
      if (!tensor) {
        throw new GraphError(
          `${join(path, name)} of ${layer} has no values yet: call initialise(net) or load weights.`,
        );
      }
      state.set(join(path, name), tensor);
    }
  }
  return state;
}

/** Whether all parameters and buffers have values. */
export function isInitialised(net: Layer): boolean {
  return [...walk(net)].every(({ layer }) =>
    [...layer.parameterSpecs, ...layer.bufferSpecs].every(({ name }) => layer.state.has(name)),
  );
}

/**
 * Gives a network the tensors of a state dict, not copied.
 * @throws GraphError where a tensor is missing, superfluous or of another shape; the network is then unchanged
 */
export function loadStateDict(net: Layer, state: StateDict): void {
  const shapes = stateShapes(net);
  for (const [name, shape] of shapes) {
    const given = state.get(name);
    if (!given) throw new GraphError(`The weights have no tensor "${name}", which the network needs.`);
    if (!sameShape(given.shape, shape)) {
      const [expected, actual] = [formatShape(shape), formatShape(given.shape)];
      throw new GraphError(`The tensor "${name}" must have the shape ${expected} in this network, it has ${actual}.`);
    }
  }
  const unknown = [...state.keys()].find((name) => !shapes.has(name));
  if (unknown !== undefined) throw new GraphError(`The weights have a tensor "${unknown}", which the network lacks.`);
  for (const { path, layer } of walk(net)) {
    for (const { name } of [...layer.parameterSpecs, ...layer.bufferSpecs]) {
      layer.state.set(name, state.get(join(path, name)) as Tensor);
    }
  }
}
