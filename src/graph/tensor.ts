/** A tensor with its numbers: what goes into a graph's inputs and comes out of its outputs. */

import { formatShape, type Shape, sizeOf } from './tensorType.js';

export type TensorData = Float32Array | Uint8Array | Int32Array;

export interface Tensor<Data extends TensorData = Float32Array> {
  readonly shape: Shape;
  readonly data: Data;
}

/**
 * Makes a tensor; `data` is kept, not copied. Without `data` it is filled with zeros.
 * @throws RangeError where the data is not as long as the shape says
 */
export function tensor(shape: Shape, data: Float32Array = new Float32Array(sizeOf(shape))): Tensor {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`A tensor of shape ${formatShape(shape)} needs ${sizeOf(shape)} numbers, got ${data.length}.`);
  }
  return { shape: [...shape], data };
}
