/** Writes a graph down as an ONNX model: every node by its operator's recipe. */

import type { Graph, Value } from '../../graph/graph.js';
import type { OperatorName } from '../../graph/operators.js';
import { Operands, type Recipe } from './lowering.js';
import { OnnxBuilder } from './onnxBuilder.js';
import * as convolution from './recipes/convolution.js';
import { resizeImages } from './recipes/images.js';
import * as loss from './recipes/loss.js';
import * as normalisation from './recipes/normalisation.js';
import * as optimiser from './recipes/optimiser.js';
import * as pointwise from './recipes/pointwise.js';
import * as pooling from './recipes/pooling.js';

const recipes: { [Name in OperatorName]: Recipe<Name> } = {
  resizeImages,
  ...convolution,
  ...loss,
  ...normalisation,
  ...optimiser,
  ...pointwise,
  ...pooling,
};

/**
 * The graph as the bytes of an .onnx file. Inputs and outputs keep their names and shapes.
 */
export function toOnnx(graph: Graph): Uint8Array {
  const onnx = new OnnxBuilder();
  const names = new Map<Value, string>();
  for (const [name, value] of graph.inputs) {
    onnx.input(`in.${name}`, value.shape, value.dtype);
    names.set(value, `in.${name}`);
  }
  for (const [i, node] of graph.nodes.entries()) {
    const operands = new Operands(node.inputs.map((value) => ({ name: names.get(value) ?? '', shape: value.shape })));
    onnx.scope = `${node.operator}#${i}`;
    // The table pairs each operator with its recipe; TypeScript cannot follow the pairing through an index.
    const recipe = recipes[node.operator] as Recipe<OperatorName>;
    const outputs = recipe(onnx, operands, node.attributes);
    for (const [j, value] of node.outputs.entries()) names.set(value, outputs[j] ?? '');
  }
  for (const [name, value] of graph.outputs) onnx.output(`out.${name}`, names.get(value) ?? '', value.shape);
  return onnx.encode();
}
