/** Batch normalisation and its gradient. */

import { sizeOf } from '../../../graph/tensorType.js';
import type { Recipe } from '../lowering.js';
import type { OnnxBuilder } from '../onnxBuilder.js';

/** Axes of N x C x H x W that one channel's statistics run over. */
const AXES = [0, 2, 3];

/** A vector of C as 1 x C x 1 x 1, which spreads over images and places. */
const spread = (onnx: OnnxBuilder, vector: string, channels: number) => onnx.reshape(vector, [1, channels, 1, 1]);

export const batchNorm2dInference: Recipe<'batchNorm2dInference'> = (onnx, operands, { epsilon }) => [
  onnx.op(
    'BatchNormalization',
    Array.from({ length: operands.count }, (_, i) => operands.name(i)),
    { epsilon: { float: epsilon } },
  ),
];

/** The variance is taken around the mean, in two passes: the mean of squares would cancel. */
export const batchNorm2d: Recipe<'batchNorm2d'> = (onnx, operands, { epsilon }) => {
  const [, channels] = operands.image(0);
  const x = operands.name(0);
  const mean = onnx.op('ReduceMean', [x], { axes: AXES, keepdims: 0 });
  const centred = onnx.op('Sub', [x, spread(onnx, mean, channels)]);
  const variance = onnx.op('ReduceMean', [onnx.op('Mul', [centred, centred])], { axes: AXES, keepdims: 0 });
  const y = onnx.op('BatchNormalization', [x, operands.name(1), operands.name(2), mean, variance], {
    epsilon: { float: epsilon },
  });
  return [y, mean, variance];
};

/**
 * With m elements a channel, deviation s and c = x - mean:
 * `dx = weight / s * (dy - sum(dy) / m - c * sum(dy * c) / (m * s^2))`, here as `a * dy + b * c + d` per channel.
 */
export const batchNorm2dGrad: Recipe<'batchNorm2dGrad'> = (onnx, operands, { epsilon }) => {
  const [, channels] = operands.image(0);
  const count = onnx.float(sizeOf(operands.shape(0)) / channels);
  const [x, dy, weight, mean, variance] = [0, 1, 2, 3, 4].map((i) => operands.name(i)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const sum = (value: string) => onnx.op('ReduceSum', [value, onnx.int64(AXES)], { keepdims: 0 });
  const deviation = onnx.op('Sqrt', [onnx.op('Add', [variance, onnx.float(epsilon)])]);
  const centred = onnx.op('Sub', [x, spread(onnx, mean, channels)]);
  const dBias = sum(dy);
  const dWeight = onnx.op('Div', [sum(onnx.op('Mul', [dy, centred])), deviation]);

  const a = onnx.op('Div', [weight, deviation]);
  const perElement = (total: string) => onnx.op('Neg', [onnx.op('Div', [onnx.op('Mul', [a, total]), count])]);
  const b = onnx.op('Div', [perElement(dWeight), deviation]);
  const d = perElement(dBias);
  const terms = [onnx.op('Mul', [dy, spread(onnx, a, channels)]), onnx.op('Mul', [centred, spread(onnx, b, channels)])];
  const dx = onnx.op('Add', [onnx.op('Add', terms), spread(onnx, d, channels)]);
  return [dx, dWeight, dBias];
};
