/** Checks of the numbers that layers are made with. */

import { GraphError } from '../../graph/operators.js';

/** @throws GraphError unless the value is a whole number of at least 1 */
export function positiveInteger(layer: string, option: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new GraphError(`${layer}: ${option} must be a whole number of at least 1, it is ${value}.`);
  }
  return value;
}

/** @throws GraphError unless the value is a whole number of at least 0 */
export function wholeNumber(layer: string, option: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new GraphError(`${layer}: ${option} must be a whole number of at least 0, it is ${value}.`);
  }
  return value;
}
