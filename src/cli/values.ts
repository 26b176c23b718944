/** The values that options take: each is checked as it is read, and a wrong one is told what would be right. */

import { InvalidArgumentError } from 'commander';

/** Digits, with an optional fraction and exponent; unlike `Number`, not `0x10`, `1e`, blanks or nothing. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function parseNumber(text: string, expected: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return value;
}

/** A parser of whole numbers from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  const expected = `a whole number from ${least} to ${most}`;
  return (text) => {
    const value = parseNumber(text, expected);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected ${expected}.`);
    }
    return value;
  };
}

/** A parser of numbers above 0, up to `most`. */
export function positiveNumber(most: number): (text: string) => number {
  const expected = `a number above 0, at most ${most}`;
  return (text) => {
    const value = parseNumber(text, expected);
    if (value <= 0 || value > most) throw new InvalidArgumentError(`Expected ${expected}.`);
    return value;
  };
}

/** A parser of numbers from 0 to `most`. */
export function notNegative(most: number): (text: string) => number {
  const expected = `a number from 0 to ${most}`;
  return (text) => {
    const value = parseNumber(text, expected);
    if (value < 0 || value > most) throw new InvalidArgumentError(`Expected ${expected}.`);
    return value;
  };
}

/** A parser of paths: any text but the empty one. */
export function path(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a path.');
  return text;
}
