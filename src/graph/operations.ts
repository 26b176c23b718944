/** How much arithmetic a node is: the floating-point operations of its plain algorithm, a multiply-add being two. */

import type { Node } from './graph.js';
import { sizeOf } from './tensorType.js';

/**
 * Operations of convolutions, their gradients and matrix products; 0 of everything else, which is bound by memory. An
 * engine that takes a cleverer algorithm makes fewer.
 */
export function operationsOf({ operator, inputs, outputs }: Node): number {
  const size = (values: Node['inputs'], i: number) => sizeOf(values[i]?.shape ?? []);
  const perOutput = (shape: readonly number[] = []) => sizeOf(shape.slice(1));
  switch (operator) {
    case 'conv2d':
      return 2 * size(outputs, 0) * perOutput(inputs[1]?.shape);
    case 'conv2dInputGrad':
      return 2 * size(inputs, 0) * perOutput(inputs[1]?.shape);
    case 'conv2dWeightGrad':
      return 2 * size(inputs, 1) * perOutput(outputs[0]?.shape);
    case 'matmul': {
      // (m x k) (k x n): the sizes' product over the output's is k squared.
      const inner = Math.sqrt((size(inputs, 0) * size(inputs, 1)) / size(outputs, 0));
      return 2 * size(outputs, 0) * inner;
    }
    default:
      return 0;
  }
}
