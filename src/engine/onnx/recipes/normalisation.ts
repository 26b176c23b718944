/** Batch normalisation and its gradient, in the layout that the images lie in. */

import { sizeOf } from '../../../graph/tensorType.js';
import { type Lowered, placesFirst, type Recipe } from '../lowering.js';
import { spreadChannels, sumChannels } from './channels.js';

export const batchNorm2dInference: Recipe<'batchNorm2dInference'> = (onnx, operands, { epsilon }) => [
  onnx.op(
    'BatchNormalization',
    Array.from({ length: operands.count }, (_, i) => operands.name(i)),
    { epsilon: { float: epsilon } },
  ),
];

/** The variance is taken around the mean, in two passes: the mean of squares would cancel. */
export const batchNorm2d: Recipe<'batchNorm2d'> = (onnx, operands, { epsilon }) => {
  const size = operands.image(0);
  const [, channels] = size;
  const layout = operands.layout(0);
  const x = operands.in(layout, 0);
  const [weight, bias] = [operands.name(1), operands.name(2)];
  const count = onnx.float(operands.size(0) / channels);
  const average = (value: string) => onnx.op('Div', [sumChannels(onnx, value, layout, size), count]);
  const spread = (vector: string) => spreadChannels(onnx, vector, layout, channels);
  const mean = average(x);
  const centred = onnx.op('Sub', [x, spread(mean)]);
  const variance = average(onnx.op('Mul', [centred, centred]));
  if (layout === 'imagesFirst') {
    const y = onnx.op('BatchNormalization', [x, weight, bias, mean, variance], { epsilon: { float: epsilon } });
    return [y, mean, variance];
  }
  const deviation = onnx.op('Sqrt', [onnx.op('Add', [variance, onnx.float(epsilon)])]);
  const scaled = onnx.op('Mul', [centred, spread(onnx.op('Div', [weight, deviation]))]);
  return [placesFirst(onnx.op('Add', [scaled, spread(bias)])), mean, variance];
};

/**
 * With m elements a channel, deviation s and c = x - mean:
 * `dx = weight / s * (dy - sum(dy) / m - c * sum(dy * c) / (m * s^2))`, here as `a * dy + b * c + d` per channel.
 */
export const batchNorm2dGrad: Recipe<'batchNorm2dGrad'> = (onnx, operands, { epsilon }) => {
  const size = operands.image(0);
  const [, channels] = size;
  const layout = operands.layout(0);
  const count = onnx.float(sizeOf(size) / channels);
  const [x, dy] = [operands.in(layout, 0), operands.in(layout, 1)];
  const [weight, mean, variance] = [operands.name(2), operands.name(3), operands.name(4)];
  const spread = (vector: string) => spreadChannels(onnx, vector, layout, channels);
  const sum = (value: string) => sumChannels(onnx, value, layout, size);
  const deviation = onnx.op('Sqrt', [onnx.op('Add', [variance, onnx.float(epsilon)])]);
  const centred = onnx.op('Sub', [x, spread(mean)]);
  const dBias = sum(dy);
  const dWeight = onnx.op('Div', [sum(onnx.op('Mul', [dy, centred])), deviation]);

  const a = onnx.op('Div', [weight, deviation]);
  const perElement = (total: string) => onnx.op('Neg', [onnx.op('Div', [onnx.op('Mul', [a, total]), count])]);
  const b = onnx.op('Div', [perElement(dWeight), deviation]);
  const d = perElement(dBias);
  const terms = [onnx.op('Mul', [dy, spread(a)]), onnx.op('Mul', [centred, spread(b)])];
  const dx: Lowered = { name: onnx.op('Add', [onnx.op('Add', terms), spread(d)]), layout };
  return [dx, dWeight, dBias];
};
