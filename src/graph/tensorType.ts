/** Shapes and data types of tensors. Images are laid out N x C x H x W, as in PyTorch. */

export type Shape = readonly number[];

export type DataType = 'float32' | 'uint8' | 'int32';

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DataType;
}

/** Number of elements of a tensor of this shape (1 for a scalar, whose shape is empty). */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** A shape as people write it: `16x96x54x54`. */
export function formatShape(shape: Shape): string {
  return shape.length === 0 ? 'scalar' : shape.join('x');
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}
