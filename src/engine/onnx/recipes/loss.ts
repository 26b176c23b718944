/** Softmax cross-entropy and its gradient. */

import type { Operands, Recipe } from '../lowering.js';
import { type OnnxBuilder, OnnxType } from '../onnxBuilder.js';

/** 1 in the column of each example's label, elsewhere 0. */
function oneHot(onnx: OnnxBuilder, operands: Operands): string {
  const [batch = 1, classes = 1] = operands.shape(0);
  const labels = onnx.reshape(operands.name(1), [batch, 1]);
  const columns = onnx.int32(
    Array.from({ length: classes }, (_, i) => i),
    [1, classes],
  );
  return onnx.op('Cast', [onnx.op('Equal', [labels, columns])], { to: OnnxType.float });
}

/** The largest logit is taken off first, so that no exponential overflows. */
export const softmaxCrossEntropy: Recipe<'softmaxCrossEntropy'> = (onnx, operands) => {
  const logits = operands.name(0);
  const shifted = onnx.op('Sub', [logits, onnx.op('ReduceMax', [logits], { axes: [1], keepdims: 1 })]);
  const sum = (value: string) => onnx.op('ReduceSum', [value, onnx.int64([1])], { keepdims: 0 });
  const logSum = onnx.op('Log', [sum(onnx.op('Exp', [shifted]))]);
  const ofLabel = sum(onnx.op('Mul', [shifted, oneHot(onnx, operands)]));
  const losses = onnx.op('Mul', [onnx.op('Sub', [logSum, ofLabel]), operands.name(2)]);
  return [onnx.op('ReduceSum', [losses, onnx.int64([0])], { keepdims: 0 })];
};

export const softmaxCrossEntropyGrad: Recipe<'softmaxCrossEntropyGrad'> = (onnx, operands) => {
  const [batch = 1] = operands.shape(0);
  const probabilities = onnx.op('Softmax', [operands.name(0)], { axis: 1 });
  const difference = onnx.op('Sub', [probabilities, oneHot(onnx, operands)]);
  return [onnx.op('Mul', [difference, onnx.reshape(operands.name(2), [batch, 1])])];
};
