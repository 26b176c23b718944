/**
 * From the dataset's bytes to the network's input, as Pillow resizes: its filter's weights are whole numbers of 22
 * bits, and each pass rounds `sum(weight * pixel) / 2^22` half up. float32 holds 24 bits, so each product is taken in
 * two halves of 11 bits, whose sums are exact.
 */

import type { Recipe } from '../lowering.js';
import { type OnnxBuilder, OnnxType } from '../onnxBuilder.js';

const HALF_BITS = 2 ** 11;

/**
 * Weights of Pillow's bilinear filter in units of 2^-22, as `input` x `output`: a triangle around each output pixel's
 * centre that is one input pixel wide at each side when enlarging and one output pixel wide when shrinking, cut at the
 * border and normalised.
 */
function bilinearWeights(input: number, output: number): Float32Array {
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
    for (let i = begin; i < end; i++) weights[i * output + out] = Math.floor(0.5 + (triangle(i) / sum) * 2 ** 22);
  }
  return weights;
}

/** One pass: `product` multiplies the pixels with weights. Enlarging by 8, as 28 to 224, the low halves are all 0. */
function pass(onnx: OnnxBuilder, weights: Float32Array, product: (weights: Float32Array) => string): string {
  const divideAndFloor = (x: string) => onnx.op('Floor', [onnx.op('Mul', [x, onnx.float(1 / HALF_BITS)])]);
  const low = weights.map((weight) => weight % HALF_BITS);
  let sum = product(weights.map((weight) => Math.floor(weight / HALF_BITS)));
  if (low.some((weight) => weight !== 0)) sum = onnx.op('Add', [sum, divideAndFloor(product(low))]);
  return divideAndFloor(onnx.op('Add', [sum, onnx.float(HALF_BITS / 2)]));
}

export const resizeImages: Recipe<'resizeImages'> = (onnx, operands, { height, width }) => {
  const [n = 1, inputHeight = 1, inputWidth = 1] = operands.shape(0);
  const bytes = onnx.op('Cast', [operands.name(0)], { to: OnnxType.float });
  const across = (weights: Float32Array) => onnx.op('MatMul', [bytes, onnx.float(weights, [inputWidth, width])]);
  const rows = inputWidth === width ? bytes : pass(onnx, bilinearWeights(inputWidth, width), across);
  const down = (weights: Float32Array) => {
    const transposed = weights.map((_, i) => weights[(i % inputHeight) * height + Math.floor(i / inputHeight)] ?? 0);
    return onnx.op('MatMul', [onnx.float(transposed, [height, inputHeight]), rows]);
  };
  const images = inputHeight === height ? rows : pass(onnx, bilinearWeights(inputHeight, height), down);
  return [onnx.reshape(images, [n, 1, height, width])];
};
