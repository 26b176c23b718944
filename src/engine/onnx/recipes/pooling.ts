/** Pooling and its gradients. */

import { type WindowAttributes, windowOutput } from '../../../graph/operators.js';
import { placesFirst, type Recipe } from '../lowering.js';
import { type OnnxBuilder, OnnxType } from '../onnxBuilder.js';

/** Below every activation, and unlike -infinity still 0 when multiplied by 0. */
const LOWEST = -3e38;

/** How windows lie along one direction of some images: the images are before x length x after. */
interface Line {
  readonly before: number;
  readonly length: number;
  readonly after: number;
  readonly windows: number;
}

/** For each tap of the windows, the elements under it, one for each window: before x windows x after. */
function tapsOf(onnx: OnnxBuilder, x: string, line: Line, { kernelSize, stride }: WindowAttributes): string[] {
  const { before, length, after, windows } = line;
  const lines = onnx.reshape(x, [before, length, after]);
  return Array.from({ length: kernelSize }, (_, tap) =>
    onnx.slice(lines, [1], [tap], [tap + (windows - 1) * stride + 1], [stride]),
  );
}

/** The way of `tapsOf` backwards: each element is the sum of what the taps that lay on it have. */
function scatterTaps(onnx: OnnxBuilder, taps: readonly string[], line: Line, { stride }: WindowAttributes): string {
  const { before, length, after, windows } = line;
  // Elements `stride` apart have the same phase, and so has each tap: those of a phase are added up, shifted against
  // each other, and the phases are interleaved.
  const steps = Math.ceil(length / stride);
  const none = () => onnx.op('Expand', [onnx.float(0), onnx.int64([before, steps, after])]);
  const phases = Array.from({ length: stride }, (_, phase) => {
    const shifted = taps
      .filter((_, tap) => tap % stride === phase)
      .map((tap, i) => onnx.op('Pad', [tap, onnx.int64([0, i, 0, 0, steps - windows - i, 0])]));
    const sum = shifted.length === 0 ? none() : shifted.reduce((a, b) => onnx.op('Add', [a, b]));
    return onnx.reshape(sum, [before, steps, 1, after]);
  });
  const interleaved = onnx.op('Concat', phases, { axis: 2 });
  const elements = onnx.reshape(interleaved, [before, steps * stride, after]);
  return steps * stride === length ? elements : onnx.slice(elements, [1], [0], [length]);
}

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

type Size = readonly [batch: number, channels: number, height: number, width: number];

/** The two passes of a pooling layer over images that lie places first: across each row of pixels, then down. */
function passes([n, c, height, width]: Size, [windowsDown, windowsAcross]: readonly [number, number]) {
  const across: Line = { before: height, length: width, after: n * c, windows: windowsAcross };
  const down: Line = { before: 1, length: height, after: windowsAcross * n * c, windows: windowsDown };
  return { across, down };
}

/** Images that lie places first, with a border that never wins. */
function bordered(onnx: OnnxBuilder, x: string, padding: number): string {
  const pads = [padding, padding, 0, 0, padding, padding, 0, 0];
  return padding === 0 ? x : onnx.op('Pad', [x, onnx.int64(pads), onnx.float(LOWEST)]);
}

export const maxPool2d: Recipe<'maxPool2d'> = (onnx, operands, window) => {
  const { kernelSize, stride, padding } = window;
  if (operands.layout(0) === 'imagesFirst') {
    return [
      onnx.op('MaxPool', [operands.name(0)], {
        kernel_shape: [kernelSize, kernelSize],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
      }),
    ];
  }
  const [n, c, height, width] = operands.image(0);
  const [paddedHeight, paddedWidth] = [height + 2 * padding, width + 2 * padding];
  const windows = [height, width].map((length) => windowOutput(length, kernelSize, stride, padding));
  const [windowsDown, windowsAcross] = windows as [number, number];
  const { across, down } = passes([n, c, paddedHeight, paddedWidth], [windowsDown, windowsAcross]);
  const x = bordered(onnx, operands.in('placesFirst', 0), padding);
  const rowMaxima = onnx.op('Max', tapsOf(onnx, x, across, window));
  const maxima = onnx.op('Max', tapsOf(onnx, rowMaxima, down, window));
  return [placesFirst(onnx.reshape(maxima, [windowsDown, windowsAcross, n, c]))];
};

/**
 * A k x k maximum is the maximum over k rows of maxima over k columns, and its first place in reading order lies in
 * the first row that reaches it. So the gradient goes back in two passes of k taps instead of one of k * k: from
 * windows to rows, then from rows to pixels.
 */
export const maxPool2dGrad: Recipe<'maxPool2dGrad'> = (onnx, operands, window) => {
  const { padding } = window;
  const [n, c, height, width] = operands.image(0);
  const [, , windowsDown, windowsAcross] = operands.image(1);
  const [paddedHeight, paddedWidth] = [height + 2 * padding, width + 2 * padding];
  const { across, down } = passes([n, c, paddedHeight, paddedWidth], [windowsDown, windowsAcross]);
  const [x, y, dy] = [0, 1, 2].map((i) => operands.in('placesFirst', i)) as [string, string, string];
  const pass = (taps: readonly string[], maxima: string, gradient: string, line: Line) => {
    const shape = [line.before, line.windows, line.after];
    const shares = shareAmongTaps(onnx, taps, onnx.reshape(maxima, shape), onnx.reshape(gradient, shape));
    return scatterTaps(onnx, shares, line, window);
  };
  const columnTaps = tapsOf(onnx, bordered(onnx, x, padding), across, window);
  const rowMaxima = onnx.op('Max', columnTaps);
  const rowGradient = pass(tapsOf(onnx, rowMaxima, down, window), y, dy, down);
  const gradient = pass(columnTaps, rowMaxima, rowGradient, across);
  const image = onnx.reshape(gradient, [paddedHeight, paddedWidth, n, c]);
  if (padding === 0) return [placesFirst(image)];
  return [placesFirst(onnx.slice(image, [0, 1], [padding, padding], [padding + height, padding + width]))];
};

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = matrix[r * columns + c] ?? 0;
  return result;
}

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
