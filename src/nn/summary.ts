/** What a network is made of: the book's walk of an input's shape through every layer, with costs. */

import { type Shape, sizeOf } from '../graph/tensorType.js';
import { join, type Layer } from './layer.js';

/** One layer of a network. */
export interface SummaryRow {
  /** Place and layer, e.g. `0.2 Conv2d(96, 96, kernelSize=1)`. */
  readonly layer: string;
  readonly outputShape: Shape;
  readonly parameters: number;
  readonly multiplyAdds: number;
}

export interface Summary {
  readonly rows: readonly SummaryRow[];
  readonly parameters: number;
  readonly multiplyAdds: number;
}

function* rowsOf(layer: Layer, input: Shape, path: string): Generator<SummaryRow, Shape> {
  if (layer.children.length > 0) {
    let shape = input;
    for (const [i, child] of layer.children.entries()) shape = yield* rowsOf(child, shape, join(path, `${i}`));
    return shape;
  }
  const outputShape = layer.outputShape(input);
  const parameters = layer.parameterSpecs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  yield { layer: `${path} ${layer}`.trim(), outputShape, parameters, multiplyAdds: layer.multiplyAdds(input) };
  return outputShape;
}

/**
 * Output shape, parameters and multiply-adds of every layer for one input.
 * @param input e.g. `[1, 1, 224, 224]`
 * @throws GraphError where a layer cannot take what the layer before it gives
 */
export function summary(net: Layer, input: Shape): Summary {
  net.outputShape(input); // A misfit deep inside is named by its full place.
  const rows = [...rowsOf(net, input, '')];
  const total = (of: (row: SummaryRow) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  return { rows, parameters: total((row) => row.parameters), multiplyAdds: total((row) => row.multiplyAdds) };
}
