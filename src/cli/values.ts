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

/** Most seeds that one sweep trains. */
const MOST_SEEDS = 10_000;

/** Seeds as a range of whole numbers, `0..19`, or a list, `0,3,7`. */
export function seeds(text: string): number[] {
  const expected = `a range such as 0..19 or a list such as 0,3,7, of at most ${MOST_SEEDS} seeds`;
  const [, first, last] = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text) ?? [];
  const [begin, end] = [Number(first), Number(last)];
  if (end - begin >= 0 && end - begin < MOST_SEEDS) return Array.from({ length: end - begin + 1 }, (_, i) => begin + i);
  const list = [...new Set(text.split(',').map((seed) => (/^\d{1,15}$/.test(seed) ? Number(seed) : Number.NaN)))];
  if (list.some(Number.isNaN) || list.length > MOST_SEEDS) throw new InvalidArgumentError(`Expected ${expected}.`);
  return list;
}

/** A parser of paths: any text but the empty one. */
export function path(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a path.');
  return text;
}
