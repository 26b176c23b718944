/** From the dataset's bytes to the network's input. */

import type { Recipe } from '../lowering.js';
import { OnnxType } from '../onnxBuilder.js';

/**
 * Weights of Pillow's bilinear filter, as `input` x `output`: a triangle around each output pixel's centre that is
 * one input pixel wide at each side when enlarging and one output pixel wide when shrinking, cut at the border and
 * normalised. When enlarging by 8 (28 to 224) they are multiples of 1/16, so the result is exact.
 */
export function bilinearWeights(input: number, output: number): Float32Array {
  const weights = new Float32Array(input * output);
  const scale = input / output;
  const reach = Math.max(scale, 1);
  for (let out = 0; out < output; out++) {
    const centre = (out + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(input, Math.trunc(centre + reach + 0.5));
    const triangle = (i: number) => Math.max(0, 1 - Math.abs((i - centre + 0.5) / reach));
    let sum = 0;
    for (let i = begin; i < end; i++) sum += triangle(i);
    for (let i = begin; i < end; i++) weights[i * output + out] = triangle(i) / sum;
  }
  return weights;
}

/** ONNX's `Round` rounds halves to even; Pillow rounds them up. */
export const resizeImages: Recipe<'resizeImages'> = (onnx, operands, { height, width }) => {
  const [n = 1, inputHeight = 1, inputWidth = 1] = operands.shape(0);
  const roundHalfUp = (x: string) => onnx.op('Floor', [onnx.op('Add', [x, onnx.float(0.5)])]);
  let images = onnx.op('Cast', [operands.name(0)], { to: OnnxType.float });
  if (inputWidth !== width) {
    const across = onnx.float(bilinearWeights(inputWidth, width), [inputWidth, width]);
    images = roundHalfUp(onnx.op('MatMul', [images, across]));
  }
  if (inputHeight !== height) {
    const weights = bilinearWeights(inputHeight, height);
    const down = Float32Array.from(
      weights,
      (_, i) => weights[(i % inputHeight) * height + Math.floor(i / inputHeight)] ?? 0,
    );
    images = roundHalfUp(onnx.op('MatMul', [onnx.float(down, [height, inputHeight]), images]));
  }
  return [onnx.reshape(images, [n, 1, height, width])];
};
