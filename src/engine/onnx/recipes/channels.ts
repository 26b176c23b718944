/** Sums over all images and places of a channel, and vectors of the channels beside images, in either layout. */

import type { Layout } from '../lowering.js';
import type { OnnxBuilder } from '../onnxBuilder.js';

type Size = readonly [batch: number, channels: number, height: number, width: number];

/** Sums each channel: to C. Along memory first, then over what is left. */
export function sumChannels(onnx: OnnxBuilder, x: string, layout: Layout, [n, c, height, width]: Size): string {
  const sum = (value: string, axis: number) => onnx.op('ReduceSum', [value, onnx.int64([axis])], { keepdims: 0 });
  if (layout === 'imagesFirst') return sum(sum(onnx.reshape(x, [n, c, height * width]), 2), 0);
  // A sum over rows is a product with ones, which is several times as fast.
  const ones = onnx.float(new Float32Array(width * n).fill(1), [1, width * n]);
  const lines = onnx.op('MatMul', [ones, onnx.reshape(x, [height, width * n, c])]);
  return sum(onnx.reshape(lines, [height, c]), 0);
}

/** A vector of C in a shape that spreads over images. */
export function spreadChannels(onnx: OnnxBuilder, vector: string, layout: Layout, channels: number): string {
  return onnx.reshape(vector, layout === 'imagesFirst' ? [1, channels, 1, 1] : [1, 1, 1, channels]);
}
