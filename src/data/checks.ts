/** Checks of the numbers a user gives, with errors that show the value, the range and thereby what to do. */

import { DataError } from './dataError.js';

/** Shows a value in an error so that `"8"` and `8` can be told apart. */
export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/**
 * Refuses what is not a whole number in the range; both ends belong to it.
 * @param most default: the largest safe integer
 * @throws DataError naming the value and the range
 */
export function checkWhole(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new DataError(`${name} is ${show(value)}; give a whole number ${range}.`);
}
