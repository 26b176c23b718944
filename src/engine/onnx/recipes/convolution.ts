/**
 * Convolution and its two gradients. Which way each takes depends on its kernel and the size of its images; on a
 * graphics card it is always the plain one.
 */

import { windowOutput } from '../../../graph/operators.js';
import { type Operands, placesFirst, type Recipe } from '../lowering.js';
import type { OnnxBuilder } from '../onnxBuilder.js';
import { winogradFor } from './winograd.js';

const square = (length: number): [number, number] => [length, length];
const allSides = (length: number): [number, number, number, number] => [length, length, length, length];

/**
 * Up to this many places an image's own matrix product is too small for a 1x1 convolution to be fast; places first,
 * all images share one.
 */
const FEW_PLACES = 400;

interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

const isPointwise = ({ kernel, stride, padding }: Window) => kernel === 1 && stride === 1 && padding === 0;

/** Whether a 1x1 convolution is one product over all images. */
const isOneProduct = (onnx: OnnxBuilder, height: number, width: number) =>
  onnx.device === 'cpu' && height * width <= FEW_PLACES;

/** Winograd's way where it is the better one. */
function winograd(onnx: OnnxBuilder, window: Window, x: Image, y: Image) {
  if (window.stride !== 1) return undefined;
  const [images, inChannels, ...inputSize] = x;
  const [, outChannels, ...outputSize] = y;
  return winogradFor(onnx, { ...window, images, inChannels, outChannels, inputSize, outputSize });
}

type Image = ReturnType<Operands['image']>;

export const conv2d: Recipe<'conv2d'> = (onnx, operands, { stride, padding }) => {
  const x = operands.image(0);
  const [n, c, height, width] = x;
  const [o, , kernel] = operands.image(1);
  const window = { kernel, stride, padding };
  const bias = operands.count > 2 ? [operands.name(2)] : [];
  if (isPointwise(window) && isOneProduct(onnx, height, width)) {
    const flat = onnx.reshape(operands.in('placesFirst', 0), [height * width * n, c]);
    const product = onnx.op('Gemm', [flat, onnx.reshape(operands.name(1), [o, c]), ...bias], { transB: 1 });
    return [placesFirst(onnx.reshape(product, [height, width, n, o]))];
  }
  const outputLength = (length: number) => windowOutput(length, kernel, stride, padding);
  const tiles = winograd(onnx, window, x, [n, o, outputLength(height), outputLength(width)]);
  if (tiles) {
    const y = tiles.forward(operands.in('placesFirst', 0), operands.name(1));
    return [placesFirst(bias.length === 0 ? y : onnx.op('Add', [y, ...bias]))];
  }
  const inputs = [operands.name(0), operands.name(1), ...bias];
  return [onnx.op('Conv', inputs, { kernel_shape: square(kernel), strides: square(stride), pads: allSides(padding) })];
};

/**
 * With stride 1 the input gradient is itself a convolution, of dy with the flipped kernels of swapped channels;
 * ONNX Runtime's Conv is faster than its ConvTranspose. A stride takes the general way.
 */
export const conv2dInputGrad: Recipe<'conv2dInputGrad'> = (onnx, operands, attributes) => {
  const { stride, padding, inputHeight, inputWidth } = attributes;
  const dy = operands.image(0);
  const [n, o, height, width] = dy;
  const [, c, kernel] = operands.image(1);
  const window = { kernel, stride, padding };
  if (isPointwise(window) && isOneProduct(onnx, height, width)) {
    const flat = onnx.reshape(operands.in('placesFirst', 0), [height * width * n, o]);
    const product = onnx.op('Gemm', [flat, onnx.reshape(operands.name(1), [o, c])]);
    return [placesFirst(onnx.reshape(product, [height, width, n, c]))];
  }
  const tiles = winograd(onnx, window, [n, c, inputHeight, inputWidth], dy);
  if (tiles) return [placesFirst(tiles.inputGrad(operands.in('placesFirst', 0), operands.name(1)))];
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

/** 1x1: one product dy * x^T per image, summed over the images; of small images, one product in all. */
function pointwiseWeightGrad(onnx: OnnxBuilder, operands: Operands): string {
  const [n, c, height, width] = operands.image(0);
  const [, o] = operands.image(1);
  if (isOneProduct(onnx, height, width)) {
    const [x, dy] = [0, 1].map((i) => operands.in('placesFirst', i)) as [string, string];
    const rows = height * width * n;
    const product = onnx.op('Gemm', [onnx.reshape(dy, [rows, o]), onnx.reshape(x, [rows, c])], { transA: 1 });
    return onnx.reshape(product, [o, c, 1, 1]);
  }
  const flatX = onnx.reshape(operands.name(0), [n, c, height * width]);
  const flatDy = onnx.reshape(operands.name(1), [n, o, height * width]);
  const products = onnx.op('MatMul', [flatDy, onnx.op('Transpose', [flatX], { perm: [0, 2, 1] })]);
  return onnx.reshape(onnx.op('ReduceSum', [products, onnx.int64([0])], { keepdims: 0 }), [o, c, 1, 1]);
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
  const { stride, padding, kernelHeight: kernel } = attributes;
  const window = { kernel, stride, padding };
  if (isPointwise(window)) return [pointwiseWeightGrad(onnx, operands)];
  const tiles = winograd(onnx, window, operands.image(0), operands.image(1));
  if (tiles) return [tiles.weightGrad(operands.in('placesFirst', 0), operands.in('placesFirst', 1))];
  return stride === 1 ? tapWeightGrad(onnx, operands, attributes) : dilatedWeightGrad(onnx, operands, attributes);
};
