/** Operators that work element by element, change only the shape, or are one matrix product or sum. */

import type { Lowered, Recipe } from '../lowering.js';
import { sumChannels } from './channels.js';

export const affine: Recipe<'affine'> = (onnx, operands, { scale, shift }) => {
  const x = operands.name(0);
  const scaled = scale === 1 ? x : onnx.op('Mul', [x, onnx.float(scale)]);
  return [shift === 0 ? scaled : onnx.op('Add', [scaled, onnx.float(shift)])];
};

export const relu: Recipe<'relu'> = (onnx, operands): [Lowered] => {
  const layout = operands.layout(0);
  return [{ name: onnx.op('Relu', [operands.in(layout, 0)]), layout }];
};

/**
 * `HardSigmoid` with a huge slope is 1 where y > 0 and 0 where y = 0, in one pass over memory: three times as fast as
 * `Where`, and faster than comparing and casting.
 */
export const reluGrad: Recipe<'reluGrad'> = (onnx, operands): [Lowered] => {
  const layout = operands.layout(0);
  const isPositive = onnx.op('HardSigmoid', [operands.in(layout, 0)], { alpha: { float: 3e38 }, beta: { float: 0 } });
  return [{ name: onnx.op('Mul', [operands.in(layout, 1), isPositive]), layout }];
};

export const add: Recipe<'add'> = (onnx, operands) => [onnx.op('Add', [operands.name(0), operands.name(1)])];

export const multiply: Recipe<'multiply'> = (onnx, operands) => [onnx.op('Mul', [operands.name(0), operands.name(1)])];

/** A bias of length C spreads over the rows of N x C. */
export const addBias: Recipe<'addBias'> = (onnx, operands) => [onnx.op('Add', [operands.name(0), operands.name(1)])];

export const reshape: Recipe<'reshape'> = (onnx, operands, { shape }) => [onnx.reshape(operands.name(0), shape)];

export const matmul: Recipe<'matmul'> = (onnx, operands, { transposeA, transposeB }) => [
  onnx.op('Gemm', [operands.name(0), operands.name(1)], { transA: Number(transposeA), transB: Number(transposeB) }),
];

export const sumPerChannel: Recipe<'sumPerChannel'> = (onnx, operands) => {
  const layout = operands.layout(0);
  return [sumChannels(onnx, operands.in(layout, 0), layout, operands.image(0))];
};
