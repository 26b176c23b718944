/** How many predictions are right. */

import type { Tensor } from '../graph/tensor.js';

/** Index of the largest logit of example i; the first of several equal ones, as in PyTorch. */
export function prediction(logits: Tensor, i: number): number {
  const [, classes = 1] = logits.shape;
  const row = logits.data.subarray(i * classes, (i + 1) * classes);
  let best = 0;
  for (let k = 1; k < row.length; k++) if ((row[k] as number) > (row[best] as number)) best = k;
  return best;
}

/**
 * Number of correct predictions: the book's `accuracy`.
 * @param logits N x K; rows beyond the labels are ignored
 * @param labels class indices
 */
export function accuracy(logits: Tensor, labels: ArrayLike<number>): number {
  let correct = 0;
  for (let i = 0; i < labels.length; i++) if (prediction(logits, i) === labels[i]) correct++;
  return correct;
}
