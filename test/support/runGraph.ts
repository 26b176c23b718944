/** Runs graphs in tests, and differentiates them. */

import { backpropagate } from '../../src/autodiff/gradients.js';
import { createNodeEngine } from '../../src/engine/onnx/nodeEngine.js';
import { Graph, type Value } from '../../src/graph/graph.js';
import type { Tensor, TensorData } from '../../src/graph/tensor.js';
import type { DataType } from '../../src/graph/tensorType.js';

/** An input of a test graph. */
export interface TestInput {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const dataType = (data: TensorData): DataType =>
  data instanceof Uint8Array ? 'uint8' : data instanceof Int32Array ? 'int32' : 'float32';

export const engine = createNodeEngine({ threads: 1 });

/** Builds a graph on the inputs, runs it once and returns its outputs by name. */
export async function runGraph(
  inputs: Readonly<Record<string, TestInput>>,
  build: (values: Readonly<Record<string, Value>>, graph: Graph) => Readonly<Record<string, Value>>,
): Promise<Record<string, Tensor>> {
  const graph = new Graph();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [name, graph.input(name, shape, dataType(data))]),
  );
  for (const [name, value] of Object.entries(build(values, graph))) graph.output(name, value);
  const executable = await engine.compile(graph);
  const outputs = await executable.run(new Map(Object.entries(inputs).map(([name, { data }]) => [name, data])));
  await executable.release();
  return Object.fromEntries(outputs);
}

/**
 * Runs `y = f(inputs)` and the gradients of sum(y * outputGradient) for the named inputs.
 * @returns `y` and `d.<name>` for each wanted input
 */
export function runWithGradients(
  inputs: Readonly<Record<string, TestInput>>,
  outputGradient: TestInput,
  wanted: readonly string[],
  f: (values: Readonly<Record<string, Value>>) => Value,
): Promise<Record<string, Tensor>> {
  return runGraph({ ...inputs, outputGradient }, (values) => {
    const y = f(values);
    const gradients = backpropagate(
      y,
      values.outputGradient as Value,
      wanted.map((name) => values[name] as Value),
    );
    return { y, ...Object.fromEntries(gradients.map((gradient, i) => [`d.${wanted[i]}`, gradient])) };
  });
}
