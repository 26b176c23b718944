/** Convolution and its two gradients. */

import type { Recipe } from '../lowering.js';
import type { OnnxBuilder } from '../onnxBuilder.js';

const square = (length: number): [number, number] => [length, length];
const allSides = (length: number): [number, number, number, number] => [length, length, length, length];

export const conv2d: Recipe<'conv2d'> = (onnx, operands, { stride, padding }) => {
  const [, , kernel] = operands.image(1);
  const inputs = operands.inputs.map(({ name }) => name);
  return [onnx.op('Conv', inputs, { kernel_shape: square(kernel), strides: square(stride), pads: allSides(padding) })];
};

/**
 * With stride 1 the input gradient is itself a convolution, of dy with the flipped kernels of swapped channels;
 * ONNX Runtime's Conv is faster than its ConvTranspose. A stride takes the general way.
 */
export const conv2dInputGrad: Recipe<'conv2dInputGrad'> = (onnx, operands, attributes) => {
  const { stride, padding, inputHeight, inputWidth } = attributes;
  const [, , height, width] = operands.image(0);
  const [, , kernel] = operands.image(1);
  const border = kernel - 1 - padding;
  if (stride === 1 && border >= 0) {
    const swapped = onnx.op('Transpose', [operands.name(1)], { perm: [1, 0, 2, 3] });
    const begin = -(kernel + 1); // One before the first, counted from the end: where a backward slice stops.
    const flipped = kernel === 1 ? swapped : onnx.slice(swapped, [2, 3], [-1, -1], square(begin), [-1, -1]);
    return [onnx.op('Conv', [operands.name(0), flipped], { kernel_shape: square(kernel), pads: allSides(border) })];
  }
  // Rows and columns at the far edge that no window reached.
  const rest = (input: number, output: number) => input + 2 * padding - kernel - (output - 1) * stride;
  return [
    onnx.op('ConvTranspose', [operands.name(0), operands.name(1)], {
      kernel_shape: square(kernel),
      strides: square(stride),
      pads: allSides(padding),
      output_padding: [rest(inputHeight, height), rest(inputWidth, width)],
    }),
  ];
};

/** 1x1: one product dy * x^T per image, summed over the images. No data is moved. */
function pointwiseWeightGrad(onnx: OnnxBuilder, x: string, dy: string, [n, c, o, area]: number[]): string {
  const flatX = onnx.reshape(x, [n ?? 1, c ?? 1, area ?? 1]);
  const flatDy = onnx.reshape(dy, [n ?? 1, o ?? 1, area ?? 1]);
  const products = onnx.op('MatMul', [flatDy, onnx.op('Transpose', [flatX], { perm: [0, 2, 1] })]);
  const sum = onnx.op('ReduceSum', [products, onnx.int64([0])], { keepdims: 0 });
  return onnx.reshape(sum, [o ?? 1, c ?? 1, 1, 1]);
}

/**
 * Stride 1: for each of the kernel's taps one product of dy (channels first) with x shifted by the tap (channels
 * last), over all images and places at once.
 */
const tapWeightGrad: Recipe<'conv2dWeightGrad'> = (onnx, operands, { padding, kernelHeight: kernel }) => {
  const [n, c] = operands.image(0);
  const [, o, height, width] = operands.image(1);
  const places = n * height * width;
  const channelsLast = onnx.op('Transpose', [operands.name(0)], { perm: [0, 2, 3, 1] });
  const pads = [0, padding, padding, 0, 0, padding, padding, 0];
  const padded = padding === 0 ? channelsLast : onnx.op('Pad', [channelsLast, onnx.int64(pads)]);
  const channelsFirst = onnx.op('Transpose', [operands.name(1)], { perm: [1, 0, 2, 3] });
  const flatDy = onnx.reshape(channelsFirst, [o, places]);
  const taps: string[] = [];
  for (let row = 0; row < kernel; row++) {
    for (let column = 0; column < kernel; column++) {
      const shifted = onnx.slice(padded, [1, 2], [row, column], [row + height, column + width]);
      taps.push(onnx.op('Gemm', [flatDy, onnx.reshape(shifted, [places, c])]));
    }
  }
  const side = onnx.reshape(onnx.op('Concat', taps, { axis: 1 }), [o, kernel * kernel, c]);
  const swapped = onnx.op('Transpose', [side], { perm: [0, 2, 1] });
  return [onnx.reshape(swapped, [o, c, kernel, kernel])];
};

/** Any stride: a convolution of x with dy as its dilated kernel, where images and channels have changed places. */
const dilatedWeightGrad: Recipe<'conv2dWeightGrad'> = (onnx, operands, { stride, padding, kernelHeight: kernel }) => {
  const [, , inputHeight, inputWidth] = operands.image(0);
  const [, , height, width] = operands.image(1);
  const used = (output: number, input: number) => Math.min(input, (output - 1) * stride + kernel - padding);
  const [usedHeight, usedWidth] = [used(height, inputHeight), used(width, inputWidth)];
  // What the last window left over is cut off, and what it took of the far padding is kept.
  const far = (output: number, usedInput: number) => (output - 1) * stride + kernel - padding - usedInput;
  const swappedX = onnx.op('Transpose', [operands.name(0)], { perm: [1, 0, 2, 3] });
  const result = onnx.op(
    'Conv',
    [
      onnx.slice(swappedX, [2, 3], [0, 0], [usedHeight, usedWidth]),
      onnx.op('Transpose', [operands.name(1)], { perm: [1, 0, 2, 3] }),
    ],
    {
      kernel_shape: [height, width],
      dilations: square(stride),
      pads: [padding, padding, far(height, usedHeight), far(width, usedWidth)],
    },
  );
  return [onnx.op('Transpose', [result], { perm: [1, 0, 2, 3] })];
};

export const conv2dWeightGrad: Recipe<'conv2dWeightGrad'> = (onnx, operands, attributes) => {
  const { stride, padding, kernelHeight } = attributes;
  if (stride !== 1) return dilatedWeightGrad(onnx, operands, attributes);
  if (kernelHeight !== 1 || padding !== 0) return tapWeightGrad(onnx, operands, attributes);
  const [n, c, height, width] = operands.image(0);
  const [, o] = operands.image(1);
  return [pointwiseWeightGrad(onnx, operands.name(0), operands.name(1), [n, c, o, height * width])];
};
