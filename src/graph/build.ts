/**
 * The operators as functions of values: what a layer or a gradient rule calls to write down a computation.
 * Shapes in the comments: N examples, C channels, H and W the height and width of an image, K classes.
 */

import type { Value } from './graph.js';
import { type Attributes, GraphError, type OperatorName, type WindowAttributes } from './operators.js';
import { type Shape, sizeOf } from './tensorType.js';

function apply<Name extends OperatorName>(
  operator: Name,
  inputs: readonly (Value | undefined)[],
  attributes: Attributes<Name>,
): [Value, ...Value[]] {
  const present = inputs.filter((value) => value !== undefined);
  const outputs = present[0]?.graph.apply(operator, present, attributes);
  if (!outputs?.[0]) throw new GraphError(`${operator}: needs at least one input.`);
  return outputs as [Value, ...Value[]];
}

/**
 * Bytes to floats 0..255, resized where the size differs: bilinear with half-pixel centres, the horizontal pass
 * first, each pass rounded half up to a whole number, as Pillow does (and so torchvision's `Resize`).
 * @param images uint8, N x H x W
 * @returns float32, N x 1 x height x width
 */
export const resizeImages = (images: Value, height: number, width: number): Value =>
  apply('resizeImages', [images], { height, width })[0];

/** `scale * x + shift`, element by element. */
export const affine = (x: Value, scale: number, shift: number): Value => apply('affine', [x], { scale, shift })[0];

/**
 * Cross-correlation, as in PyTorch.
 * @param x N x C x H x W
 * @param weight outChannels x C x kernel x kernel
 * @param bias outChannels, or absent
 */
export const conv2d = (x: Value, weight: Value, bias: Value | undefined, stride: number, padding: number): Value =>
  apply('conv2d', [x, weight, bias], { stride, padding })[0];

/** Gradient of `conv2d` for its input, whose height and width the output alone does not tell. */
export const conv2dInputGrad = (dy: Value, weight: Value, attributes: Attributes<'conv2dInputGrad'>): Value =>
  apply('conv2dInputGrad', [dy, weight], attributes)[0];

/** Gradient of `conv2d` for its weight. */
export const conv2dWeightGrad = (x: Value, dy: Value, attributes: Attributes<'conv2dWeightGrad'>): Value =>
  apply('conv2dWeightGrad', [x, dy], attributes)[0];

/** Sum over everything but the channels: N x C x ... to C. The gradient of a bias. */
export const sumPerChannel = (x: Value): Value => apply('sumPerChannel', [x], {})[0];

/** `max(x, 0)`. */
export const relu = (x: Value): Value => apply('relu', [x], {})[0];

/** Gradient of `y = relu(x)`: `dy` where `y > 0`, elsewhere 0. */
export const reluGrad = (y: Value, dy: Value): Value => apply('reluGrad', [y, dy], {})[0];

/** The largest value of each window; padding never wins. */
export const maxPool2d = (x: Value, window: WindowAttributes): Value => apply('maxPool2d', [x], window)[0];

/** Gradient of `y = maxPool2d(x)`: each window's gradient goes to its first maximum in reading order, as in PyTorch. */
export const maxPool2dGrad = (x: Value, y: Value, dy: Value, window: WindowAttributes): Value =>
  apply('maxPool2dGrad', [x, y, dy], window)[0];

/**
 * Averages over outputHeight x outputWidth regions that cover the input: region i spans floor(i * H / outputHeight)
 * to ceil((i + 1) * H / outputHeight), as in PyTorch.
 */
export const adaptiveAvgPool2d = (x: Value, outputHeight: number, outputWidth: number): Value =>
  apply('adaptiveAvgPool2d', [x], { outputHeight, outputWidth })[0];

/** Gradient of `adaptiveAvgPool2d` for an input of this height and width. */
export const adaptiveAvgPool2dGrad = (dy: Value, inputHeight: number, inputWidth: number): Value =>
  apply('adaptiveAvgPool2dGrad', [dy], { inputHeight, inputWidth })[0];

/**
 * Batch normalisation by the batch's own statistics (Ioffe and Szegedy 2015).
 * @returns the normalised values, and the batch's mean and biased variance of each channel
 */
export const batchNorm2d = (
  x: Value,
  weight: Value,
  bias: Value,
  epsilon: number,
): { y: Value; mean: Value; variance: Value } => {
  const [y, mean, variance] = apply('batchNorm2d', [x, weight, bias], { epsilon }) as [Value, Value, Value];
  return { y, mean, variance };
};

/** Gradients of `batchNorm2d` for its input, weight and bias. */
export const batchNorm2dGrad = (
  x: Value,
  dy: Value,
  weight: Value,
  mean: Value,
  variance: Value,
  epsilon: number,
): [dx: Value, dWeight: Value, dBias: Value] =>
  apply('batchNorm2dGrad', [x, dy, weight, mean, variance], { epsilon }) as [Value, Value, Value];

/** Batch normalisation by given statistics, for evaluation. */
export const batchNorm2dInference = (
  x: Value,
  weight: Value,
  bias: Value,
  mean: Value,
  variance: Value,
  epsilon: number,
): Value => apply('batchNorm2dInference', [x, weight, bias, mean, variance], { epsilon })[0];

/** The same elements in another shape. */
export const reshape = (x: Value, shape: Shape): Value => apply('reshape', [x], { shape })[0];

/** N x C x H x W to N x (C * H * W). */
export const flatten = (x: Value): Value => reshape(x, [x.shape[0] ?? 1, sizeOf(x.shape.slice(1))]);

/** Product of two matrices, each transposed first where asked. */
export const matmul = (a: Value, b: Value, transposeA = false, transposeB = false): Value =>
  apply('matmul', [a, b], { transposeA, transposeB })[0];

/** Adds a vector of length C to N x C. */
export const addBias = (x: Value, bias: Value): Value => apply('addBias', [x, bias], {})[0];

export const add = (a: Value, b: Value): Value => apply('add', [a, b], {})[0];

export const multiply = (a: Value, b: Value): Value => apply('multiply', [a, b], {})[0];

/**
 * `sum over n of weights[n] * -log softmax(logits[n])[labels[n]]`. Weights of 1 / batch size make it the mean over
 * the batch, a weight of 0 takes an example out.
 * @param logits N x K
 * @param labels int32, N
 * @param weights N
 */
export const softmaxCrossEntropy = (logits: Value, labels: Value, weights: Value): Value =>
  apply('softmaxCrossEntropy', [logits, labels, weights], {})[0];

/** Gradient of `softmaxCrossEntropy` for the logits: `weights * (softmax(logits) - oneHot(labels))`. */
export const softmaxCrossEntropyGrad = (logits: Value, labels: Value, weights: Value): Value =>
  apply('softmaxCrossEntropyGrad', [logits, labels, weights], {})[0];

/** Square root of the sum of the squares of all elements of all inputs. */
export const globalNorm = (values: readonly Value[]): Value => apply('globalNorm', values, {})[0];

/** `min(1, maxNorm / (norm + 1e-6))`, as PyTorch's `clip_grad_norm_`. */
export const clipFactor = (norm: Value, maxNorm: number): Value => apply('clipFactor', [norm], { maxNorm })[0];

/** `(1 - momentum) * average + momentum * value`: how batch normalisation follows its statistics. */
export const movingAverage = (average: Value, value: Value, momentum: number): Value =>
  apply('movingAverage', [average, value], { momentum })[0];

/**
 * One step of stochastic gradient descent, as PyTorch's `SGD`:
 * `g = factor * gradient + weightDecay * parameter; v = momentum * v + g; parameter -= learningRate * u`, where `u` is
 * `g` without momentum, `v` with it, and `g + momentum * v` with Nesterov's.
 * @param learningRate scalar
 * @param factor scalar, what the gradient is multiplied by (clipping)
 * @param velocity absent without momentum
 * @returns the new parameter and the new velocity
 */
export const sgdUpdate = (
  parameter: Value,
  gradient: Value,
  learningRate: Value,
  factor: Value,
  velocity: Value | undefined,
  attributes: Attributes<'sgdUpdate'>,
): { parameter: Value; velocity: Value | undefined } => {
  const [updated, newVelocity] = apply('sgdUpdate', [parameter, gradient, learningRate, factor, velocity], attributes);
  return { parameter: updated, velocity: newVelocity };
};
