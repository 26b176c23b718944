/** Writes a graph down as an ONNX model: every node by its operator's recipe. */

import type { Graph, Value } from '../../graph/graph.js';
import type { OperatorName } from '../../graph/operators.js';
import type { DeviceType } from '../engine.js';
import { type Lowered, type Operand, Operands, type Recipe } from './lowering.js';
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
 * @param device whose kernels the recipes are chosen for
 */
export function toOnnx(graph: Graph, device: DeviceType): Uint8Array {
  const onnx = new OnnxBuilder(device);
  const lowered = new Map<Value, Operand>();
  const set = (value: Value, as: string | Lowered) =>
    lowered.set(value, {
      ...(typeof as === 'string' ? { name: as, layout: 'imagesFirst' } : as),
      shape: value.shape,
    });
  const operandsOf = (values: readonly Value[]) =>
    new Operands(
      onnx,
      values.map((value) => lowered.get(value) as Operand),
    );
  for (const [name, value] of graph.inputs) {
    onnx.input(`in.${name}`, value.shape, value.dtype);
    set(value, `in.${name}`);
  }
  for (const [i, node] of graph.nodes.entries()) {
    onnx.scope = `${node.operator}#${i}`;
    // The table pairs each operator with its recipe; TypeScript cannot follow the pairing through an index.
    const recipe = recipes[node.operator] as Recipe<OperatorName>;
    const outputs = recipe(onnx, operandsOf(node.inputs), node.attributes);
    for (const [j, value] of node.outputs.entries()) set(value, outputs[j] as string | Lowered);
  }
  for (const [name, value] of graph.outputs) onnx.output(`out.${name}`, operandsOf([value]).name(0), value.shape);
  return onnx.encode();
}
