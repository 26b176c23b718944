/**
 * The operators: what a node can compute, as a table of attributes and shape inference.
 *
 * They are the network's own operators and their gradients, not those of any engine: an engine is free to compute
 * each its best way. What each computes is said in build.ts; how it is differentiated, in autodiff/rules.ts.
 */

import { type DataType, formatShape, type Shape, sameShape, sizeOf, type TensorType } from './tensorType.js';

/** A graph that cannot be: shapes, data types or names that do not fit. The message says which and what would fit. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}

/** Attributes of a sliding window: the same in both directions, as in the book. */
export interface WindowAttributes {
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
}

interface ConvAttributes {
  readonly stride: number;
  readonly padding: number;
}

interface AttributeTable {
  resizeImages: { readonly height: number; readonly width: number };
  affine: { readonly scale: number; readonly shift: number };
  conv2d: ConvAttributes;
  conv2dInputGrad: ConvAttributes & { readonly inputHeight: number; readonly inputWidth: number };
  conv2dWeightGrad: ConvAttributes & { readonly kernelHeight: number; readonly kernelWidth: number };
  sumPerChannel: Record<never, never>;
  relu: Record<never, never>;
  reluGrad: Record<never, never>;
  maxPool2d: WindowAttributes;
  maxPool2dGrad: WindowAttributes;
  adaptiveAvgPool2d: { readonly outputHeight: number; readonly outputWidth: number };
  adaptiveAvgPool2dGrad: { readonly inputHeight: number; readonly inputWidth: number };
  batchNorm2d: { readonly epsilon: number };
  batchNorm2dGrad: { readonly epsilon: number };
  batchNorm2dInference: { readonly epsilon: number };
  reshape: { readonly shape: Shape };
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  addBias: Record<never, never>;
  add: Record<never, never>;
  multiply: Record<never, never>;
  softmaxCrossEntropy: Record<never, never>;
  softmaxCrossEntropyGrad: Record<never, never>;
  globalNorm: Record<never, never>;
  clipFactor: { readonly maxNorm: number };
  movingAverage: { readonly momentum: number };
  sgdUpdate: { readonly momentum: number; readonly nesterov: boolean; readonly weightDecay: number };
}

export type OperatorName = keyof AttributeTable;
export type Attributes<Name extends OperatorName = OperatorName> = AttributeTable[Name];

type Infer<Name extends OperatorName> = (inputs: readonly TensorType[], attributes: Attributes<Name>) => TensorType[];

/** Length of a sliding window's output along one axis, or below 1 where the window does not fit. */
export function windowOutput(input: number, kernelSize: number, stride: number, padding: number): number {
  return Math.floor((input + 2 * padding - kernelSize) / stride) + 1;
}

const float32 = (shape: Shape): TensorType => ({ shape, dtype: 'float32' });

function fail(operator: OperatorName, message: string): never {
  throw new GraphError(`${operator}: ${message}`);
}

function expectRank(operator: OperatorName, what: string, value: TensorType, rank: number): void {
  if (value.shape.length !== rank) {
    fail(operator, `the ${what} must have ${rank} dimensions, its shape is ${formatShape(value.shape)}.`);
  }
}

function expectShape(operator: OperatorName, what: string, value: TensorType, shape: Shape): void {
  if (!sameShape(value.shape, shape)) {
    fail(operator, `the ${what} must have the shape ${formatShape(shape)}, it has ${formatShape(value.shape)}.`);
  }
}

/** Height and width of a window's output; a window that does not fit is refused. */
function windowShape(operator: OperatorName, [height = 0, width = 0]: Shape, window: WindowAttributes): Shape {
  const { kernelSize, stride, padding } = window;
  const output = [height, width].map((length) => windowOutput(length, kernelSize, stride, padding));
  if (output.some((length) => length < 1)) {
    fail(
      operator,
      `a ${kernelSize}x${kernelSize} window with padding ${padding} does not fit an input of ${height}x${width}; ` +
        `the input must be at least ${kernelSize - 2 * padding} high and wide.`,
    );
  }
  return output;
}

function conv2d([x, weight, bias]: readonly TensorType[], { stride, padding }: ConvAttributes): TensorType[] {
  if (!x || !weight) return fail('conv2d', 'needs an input and a weight.');
  expectRank('conv2d', 'input', x, 4);
  expectRank('conv2d', 'weight', weight, 4);
  const [batch = 0, channels, ...size] = x.shape;
  const [outChannels = 0, inChannels, kernelHeight = 0, kernelWidth = 0] = weight.shape;
  if (channels !== inChannels) {
    fail('conv2d', `the weight expects ${inChannels} input channels, the input has ${channels}.`);
  }
  if (kernelHeight !== kernelWidth) {
    fail('conv2d', `kernels must be square, the weight has the shape ${formatShape(weight.shape)}.`);
  }
  if (bias) expectShape('conv2d', 'bias', bias, [outChannels]);
  const output = windowShape('conv2d', size, { kernelSize: kernelHeight, stride, padding });
  return [float32([batch, outChannels, ...output])];
}

const sameAsFirst =
  (operator: OperatorName) =>
  ([first, ...others]: readonly TensorType[]): TensorType[] => {
    if (!first) return fail(operator, 'needs an input.');
    for (const other of others) expectShape(operator, 'second input', other, first.shape);
    return [float32(first.shape)];
  };

function perChannel(operator: OperatorName, x: TensorType, vectors: readonly TensorType[]): Shape {
  expectRank(operator, 'input', x, 4);
  const channels = [x.shape[1] ?? 0];
  for (const vector of vectors) expectShape(operator, 'per-channel vector', vector, channels);
  return channels;
}

const inference: { [Name in OperatorName]: Infer<Name> } = {
  resizeImages: ([images], { height, width }) => {
    if (!images) return fail('resizeImages', 'needs images.');
    expectRank('resizeImages', 'input', images, 3);
    return [float32([images.shape[0] ?? 0, 1, height, width])];
  },
  affine: sameAsFirst('affine'),
  conv2d,
  conv2dInputGrad: ([dy, weight], { inputHeight, inputWidth }) => [
    float32([dy?.shape[0] ?? 0, weight?.shape[1] ?? 0, inputHeight, inputWidth]),
  ],
  conv2dWeightGrad: ([x, dy], { kernelHeight, kernelWidth }) => [
    float32([dy?.shape[1] ?? 0, x?.shape[1] ?? 0, kernelHeight, kernelWidth]),
  ],
  sumPerChannel: ([x]) => [float32([x?.shape[1] ?? 0])],
  relu: sameAsFirst('relu'),
  reluGrad: sameAsFirst('reluGrad'),
  maxPool2d: ([x], window) => {
    if (!x) return fail('maxPool2d', 'needs an input.');
    expectRank('maxPool2d', 'input', x, 4);
    if (window.padding > window.kernelSize / 2) {
      fail('maxPool2d', `padding ${window.padding} must be at most half the kernel size ${window.kernelSize}.`);
    }
    return [float32([...x.shape.slice(0, 2), ...windowShape('maxPool2d', x.shape.slice(2), window)])];
  },
  maxPool2dGrad: ([x]) => [float32(x?.shape ?? [])],
  adaptiveAvgPool2d: ([x], { outputHeight, outputWidth }) => {
    if (!x) return fail('adaptiveAvgPool2d', 'needs an input.');
    expectRank('adaptiveAvgPool2d', 'input', x, 4);
    return [float32([...x.shape.slice(0, 2), outputHeight, outputWidth])];
  },
  adaptiveAvgPool2dGrad: ([dy], { inputHeight, inputWidth }) => [
    float32([...(dy?.shape.slice(0, 2) ?? []), inputHeight, inputWidth]),
  ],
  batchNorm2d: ([x, ...vectors]) => {
    if (!x) return fail('batchNorm2d', 'needs an input.');
    const channels = perChannel('batchNorm2d', x, vectors);
    return [float32(x.shape), float32(channels), float32(channels)];
  },
  batchNorm2dGrad: ([x, dy, ...vectors]) => {
    if (!x || !dy) return fail('batchNorm2dGrad', 'needs an input and a gradient.');
    const channels = perChannel('batchNorm2dGrad', x, vectors);
    return [float32(x.shape), float32(channels), float32(channels)];
  },
  batchNorm2dInference: ([x, ...vectors]) => {
    if (!x) return fail('batchNorm2dInference', 'needs an input.');
    perChannel('batchNorm2dInference', x, vectors);
    return [float32(x.shape)];
  },
  reshape: ([x], { shape }) => {
    if (!x) return fail('reshape', 'needs an input.');
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      fail('reshape', `${formatShape(x.shape)} cannot become ${formatShape(shape)}: their sizes differ.`);
    }
    return [float32(shape)];
  },
  matmul: ([a, b], { transposeA, transposeB }) => {
    if (!a || !b) return fail('matmul', 'needs two inputs.');
    expectRank('matmul', 'first input', a, 2);
    expectRank('matmul', 'second input', b, 2);
    const [rows = 0, innerA] = transposeA ? [...a.shape].reverse() : a.shape;
    const [innerB, columns = 0] = transposeB ? [...b.shape].reverse() : b.shape;
    if (innerA !== innerB) fail('matmul', `the inner dimensions ${innerA} and ${innerB} must be equal.`);
    return [float32([rows, columns])];
  },
  addBias: ([x, bias]) => {
    if (!x || !bias) return fail('addBias', 'needs an input and a bias.');
    expectRank('addBias', 'input', x, 2);
    expectShape('addBias', 'bias', bias, [x.shape[1] ?? 0]);
    return [float32(x.shape)];
  },
  add: sameAsFirst('add'),
  multiply: sameAsFirst('multiply'),
  softmaxCrossEntropy: ([logits, labels, weights]) => {
    if (!logits || !labels || !weights) return fail('softmaxCrossEntropy', 'needs logits, labels and weights.');
    expectRank('softmaxCrossEntropy', 'logits', logits, 2);
    expectShape('softmaxCrossEntropy', 'labels', labels, [logits.shape[0] ?? 0]);
    expectShape('softmaxCrossEntropy', 'weights', weights, [logits.shape[0] ?? 0]);
    return [float32([])];
  },
  softmaxCrossEntropyGrad: ([logits]) => [float32(logits?.shape ?? [])],
  globalNorm: () => [float32([])],
  clipFactor: () => [float32([])],
  movingAverage: sameAsFirst('movingAverage'),
  sgdUpdate: ([parameter, gradient, , , velocity]) => {
    if (!parameter || !gradient) return fail('sgdUpdate', 'needs a parameter and its gradient.');
    expectShape('sgdUpdate', 'gradient', gradient, parameter.shape);
    const updated = float32(parameter.shape);
    return velocity ? [updated, updated] : [updated];
  },
};

/** Inputs, by place, that are not float32. */
const otherTypes: { readonly [Name in OperatorName]?: Readonly<Record<number, DataType>> } = {
  resizeImages: { 0: 'uint8' },
  softmaxCrossEntropy: { 1: 'int32' },
  softmaxCrossEntropyGrad: { 1: 'int32' },
};

/** Types of an operator's outputs. */
export function inferShapes<Name extends OperatorName>(
  operator: Name,
  inputs: readonly TensorType[],
  attributes: Attributes<Name>,
): TensorType[] {
  const { [operator]: others = {} } = otherTypes;
  for (const [i, { dtype }] of inputs.entries()) {
    const expected = others[i] ?? 'float32';
    if (dtype !== expected) fail(operator, `input ${i} must be ${expected}, it is ${dtype}.`);
  }
  return inference[operator](inputs, attributes);
}
