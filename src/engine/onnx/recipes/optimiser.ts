/** What changes parameters and statistics after the gradients are known. */

import type { Recipe } from '../lowering.js';

export const globalNorm: Recipe<'globalNorm'> = (onnx, operands) => {
  const squares = Array.from({ length: operands.count }, (_, i) =>
    onnx.op('ReduceSumSquare', [operands.name(i)], { axes: operands.shape(i).map((_, axis) => axis), keepdims: 0 }),
  );
  return [onnx.op('Sqrt', [squares.reduce((sum, square) => onnx.op('Add', [sum, square]))])];
};

export const clipFactor: Recipe<'clipFactor'> = (onnx, operands, { maxNorm }) => {
  const ratio = onnx.op('Div', [onnx.float(maxNorm), onnx.op('Add', [operands.name(0), onnx.float(1e-6)])]);
  return [onnx.op('Min', [ratio, onnx.float(1)])];
};

export const movingAverage: Recipe<'movingAverage'> = (onnx, operands, { momentum }) => {
  const kept = onnx.op('Mul', [operands.name(0), onnx.float(1 - momentum)]);
  return [onnx.op('Add', [kept, onnx.op('Mul', [operands.name(1), onnx.float(momentum)])])];
};

/**
 * Every tensor is a vector here: ONNX Runtime multiplies one with trailing lengths of 1, as the weights of 1x1
 * convolutions have, by a scalar ten times slower.
 */
export const sgdUpdate: Recipe<'sgdUpdate'> = (onnx, operands, { momentum, nesterov, weightDecay }) => {
  const shape = operands.shape(0);
  const flat = (i: number) => onnx.reshape(operands.name(i), [operands.size(i)]);
  const [parameter, gradient] = [flat(0), flat(1)];
  const [learningRate, factor] = [operands.name(2), operands.name(3)];
  const plus = (value: string, other: string, times: number) =>
    times === 0 ? value : onnx.op('Add', [value, onnx.op('Mul', [other, onnx.float(times)])]);
  const decayed = plus(onnx.op('Mul', [gradient, factor]), parameter, weightDecay);
  const hasVelocity = operands.count > 4;
  const velocity = hasVelocity ? plus(decayed, flat(4), momentum) : decayed;
  const direction = hasVelocity && nesterov ? plus(decayed, velocity, momentum) : velocity;
  const updated = onnx.op('Sub', [parameter, onnx.op('Mul', [direction, learningRate])]);
  return (hasVelocity ? [updated, velocity] : [updated]).map((value) => onnx.reshape(value, shape));
};
