/** Pooling and its gradients. */

import type { Recipe } from '../lowering.js';
import { type OnnxBuilder, OnnxType } from '../onnxBuilder.js';

/** Below every activation, and unlike -infinity still 0 when multiplied by 0. */
const LOWEST = -3e38;

export const maxPool2d: Recipe<'maxPool2d'> = (onnx, operands, { kernelSize, stride, padding }) => [
  onnx.op('MaxPool', [operands.name(0)], {
    kernel_shape: [kernelSize, kernelSize],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  }),
];

/**
 * Splits the gradients of windows among their taps: each window's goes to its first tap that equals the maximum.
 * A tap takes what its predecessors left, so the last takes the rest and needs no comparison.
 */
function shareAmongTaps(onnx: OnnxBuilder, taps: readonly string[], maximum: string, gradient: string): string[] {
  let left = gradient;
  return taps.map((tap, i) => {
    if (i === taps.length - 1) return left;
    const isMaximum = onnx.op('Cast', [onnx.op('Equal', [tap, maximum])], { to: OnnxType.float });
    const share = onnx.op('Mul', [left, isMaximum]);
    left = onnx.op('Sub', [left, share]);
    return share;
  });
}

/** 0/1 matrix of shape `length` x (taps * windows): column (t, w) picks the place of tap t in window w. */
function tapMatrix(length: number, windows: number, kernel: number, stride: number): Float32Array {
  const matrix = new Float32Array(length * kernel * windows);
  for (let tap = 0; tap < kernel; tap++) {
    for (let window = 0; window < windows; window++) {
      matrix[(window * stride + tap) * kernel * windows + tap * windows + window] = 1;
    }
  }
  return matrix;
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = matrix[r * columns + c] ?? 0;
  return result;
}

/**
 * A k x k maximum is the maximum over k rows of maxima over k columns, and its first place in reading order lies in
 * the first row that reaches it. So the gradient goes back in two passes of k taps instead of one of k * k: from
 * windows to rows, then from rows to pixels. Picking and scattering columns are products with 0/1 matrices, which
 * ONNX Runtime does faster than strided slices, and which are exact.
 */
export const maxPool2dGrad: Recipe<'maxPool2dGrad'> = (onnx, operands, { kernelSize, stride, padding }) => {
  const [n, c, inputHeight, inputWidth] = operands.image(0);
  const [, , windowsDown, windowsAcross] = operands.image(1);
  const planes = n * c;
  const [height, width] = [inputHeight + 2 * padding, inputWidth + 2 * padding];
  const pads = [0, 0, padding, padding, 0, 0, padding, padding];
  const x = padding === 0 ? operands.name(0) : onnx.op('Pad', [operands.name(0), onnx.int64(pads), onnx.float(LOWEST)]);

  const rowMaxima = onnx.op('MaxPool', [x], { kernel_shape: [1, kernelSize], strides: [1, stride] });
  const rowTaps = Array.from({ length: kernelSize }, (_, tap) =>
    onnx.slice(rowMaxima, [2], [tap], [tap + (windowsDown - 1) * stride + 1], [stride]),
  );
  const rowShares = shareAmongTaps(onnx, rowTaps, operands.name(1), operands.name(2));
  const down = tapMatrix(height, windowsDown, kernelSize, stride);
  const rowGradient = onnx.op('MatMul', [
    onnx.float(down, [height, kernelSize * windowsDown]),
    onnx.reshape(onnx.op('Concat', rowShares, { axis: 2 }), [planes, kernelSize * windowsDown, windowsAcross]),
  ]);

  const lines = planes * height;
  const across = tapMatrix(width, windowsAcross, kernelSize, stride);
  const flatX = onnx.reshape(x, [lines, width]);
  const columnTaps = Array.from({ length: kernelSize - 1 }, (_, tap) => {
    const pick = new Float32Array(width * windowsAcross);
    for (let window = 0; window < windowsAcross; window++) pick[(window * stride + tap) * windowsAcross + window] = 1;
    return onnx.op('MatMul', [flatX, onnx.float(pick, [width, windowsAcross])]);
  });
  const columnShares = shareAmongTaps(
    onnx,
    [...columnTaps, ''],
    onnx.reshape(rowMaxima, [lines, windowsAcross]),
    onnx.reshape(rowGradient, [lines, windowsAcross]),
  );
  const scatter = transposed(across, width, kernelSize * windowsAcross);
  const gradient = onnx.op('MatMul', [
    onnx.op('Concat', columnShares, { axis: 1 }),
    onnx.float(scatter, [kernelSize * windowsAcross, width]),
  ]);
  const image = onnx.reshape(gradient, [n, c, height, width]);
  if (padding === 0) return [image];
  return [onnx.slice(image, [2, 3], [padding, padding], [padding + inputHeight, padding + inputWidth])];
};

/** Matrix of shape `input` x `output` whose column i averages region i. */
function averagingMatrix(input: number, output: number): Float32Array {
  const matrix = new Float32Array(input * output);
  for (let region = 0; region < output; region++) {
    const begin = Math.floor((region * input) / output);
    const end = Math.ceil(((region + 1) * input) / output);
    for (let i = begin; i < end; i++) matrix[i * output + region] = 1 / (end - begin);
  }
  return matrix;
}

/** Rows and columns are averaged one after the other, each by a product with a matrix of weights. */
export const adaptiveAvgPool2d: Recipe<'adaptiveAvgPool2d'> = (onnx, operands, { outputHeight, outputWidth }) => {
  const [, , height, width] = operands.image(0);
  if (outputHeight === 1 && outputWidth === 1) return [onnx.op('GlobalAveragePool', [operands.name(0)])];
  const down = transposed(averagingMatrix(height, outputHeight), height, outputHeight);
  const columns = onnx.float(averagingMatrix(width, outputWidth), [width, outputWidth]);
  const across = onnx.op('MatMul', [operands.name(0), columns]);
  return [onnx.op('MatMul', [onnx.float(down, [outputHeight, height]), across])];
};

export const adaptiveAvgPool2dGrad: Recipe<'adaptiveAvgPool2dGrad'> = (onnx, operands, attributes) => {
  const { inputHeight, inputWidth } = attributes;
  const [, , height, width] = operands.image(0);
  const across = transposed(averagingMatrix(inputWidth, width), inputWidth, width);
  const rows = onnx.op('MatMul', [operands.name(0), onnx.float(across, [width, inputWidth])]);
  const down = onnx.float(averagingMatrix(inputHeight, height), [inputHeight, height]);
  return [onnx.op('MatMul', [down, rows])];
};
