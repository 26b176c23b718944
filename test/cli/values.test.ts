/**
 * The parsers of option values, given thousands of random texts: a parser either refuses a text and says what it
 * takes, or gives the number that the text names.
 */

import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { notNegative, path, positiveNumber, seeds, wholeNumber } from '../../src/cli/values.js';

type Parser = (text: string) => number;

const parsers: readonly [name: string, parser: Parser, least: number, most: number, expected: string][] = [
  ['wholeNumber', wholeNumber(1, 1024), 1, 1024, 'a whole number from 1 to 1024'],
  [
    'wholeNumber of every size',
    wholeNumber(0, Number.MAX_SAFE_INTEGER),
    0,
    Number.MAX_SAFE_INTEGER,
    'a whole number from 0 to 9007199254740991',
  ],
  ['positiveNumber', positiveNumber(10_000), Number.MIN_VALUE, 10_000, 'a number above 0, at most 10000'],
  ['notNegative', notNegative(60), 0, 60, 'a number from 0 to 60'],
];

/** The number, or undefined where the text is refused in the way it should be. */
function parse(parser: Parser, text: string, expected: string): number | undefined {
  try {
    return parser(text);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toBe(`Expected ${expected}.`);
    return undefined;
  }
}

/** Texts near to numbers find more mistakes than random ones. */
const nearNumbers = fc.string({ unit: fc.constantFrom(...'0123456789+-.eE_, xnaNIfity\n') });
const anyText = fc.oneof(fc.string({ unit: 'binary' }), nearNumbers);

/** Not decimal numbers, though `Number` or `parseFloat` take most of them. */
const JUNK = [
  ...['', ' ', '\n', '5 ', ' 5', '5\n', '5px', 'five', 'NaN', 'Infinity', '-Infinity', 'null', 'true', '[]', '{}'],
  ...['0x10', '0b1', '0o7', '1_000', '1,000', '1,5', '1e', 'e1', '.', '1.2.3', '--1', '+-1', '1e1.5', '1n', '٣', '５'],
];

describe.each(parsers)('%s', (_, parser, least, most, expected) => {
  const isWhole = expected.includes('whole');

  it('takes no text but a number in its range', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const value = parse(parser, text, expected);
        if (value === undefined) return;
        expect(text).toMatch(/^[-+.\de]+$/i);
        expect(value).toBe(Number(text));
        expect(value).toBeGreaterThanOrEqual(least);
        expect(value).toBeLessThanOrEqual(most);
        if (isWhole) expect(Number.isInteger(value)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it.each(JUNK)('refuses %j', (text) => {
    expect(parse(parser, text, expected)).toBeUndefined();
  });

  it('takes every whole number in its range, however it is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Math.min(most, 10_000) }), (value) => {
        expect(parser(`${value}`)).toBe(value);
        expect(parser(`+${value}.0`)).toBe(value);
        expect(parser(`00${value}`)).toBe(value);
        expect(parser(`${value}e0`)).toBe(value);
      }),
    );
  });

  it('refuses what is below or above its range', () => {
    const outside = fc.oneof(
      fc.double({ max: -1e-9, noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: most + 1, minExcluded: true, noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(outside, (value) => {
        expect(parse(parser, `${value}`, expected)).toBeUndefined();
      }),
    );
    for (const text of ['-1', `${most + 1}`, '1e999', '99999999999999999999', '-1e999']) {
      expect(parse(parser, text, expected), text).toBeUndefined();
    }
  });

  it(`${isWhole ? 'refuses' : 'takes'} fractions`, () => {
    const fractions = fc.double({ min: 0.001, max: 59, noInteger: true, noNaN: true });
    fc.assert(
      fc.property(fractions, (value) => {
        expect(parse(parser, `${value}`, expected)).toBe(isWhole ? undefined : value);
      }),
    );
  });

  it(`${least === 0 ? 'takes' : 'refuses'} zero`, () => {
    for (const text of ['0', '0.0', '0e5']) expect(parse(parser, text, expected)).toBe(least === 0 ? 0 : undefined);
  });
});

describe('seeds', () => {
  it('takes a range, ends included', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 10_000 }), (first, count) => {
        const found = seeds(`${first}..${first + count - 1}`);
        expect(found.length).toBe(count);
        expect([found[0], found.at(-1)]).toEqual([first, first + count - 1]);
        expect(new Set(found).size).toBe(count);
      }),
    );
  });

  it('takes a list, each seed once and in its order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 50 }), (list) => {
        expect(seeds(list.join(','))).toEqual([...new Set(list)]);
      }),
    );
  });

  const notLists = JUNK.filter((text) => text !== '1,000' && text !== '1,5');
  it.each([
    ...notLists,
    '5..2',
    '0..10000',
    '0..',
    '..5',
    '0..1..2',
    '0...5',
    '-1..5',
    '1.5',
    '1,,2',
    ',1',
    '1,',
    '1, 2',
  ])('refuses %j', (text) => {
    expect(() => seeds(text)).toThrow('Expected a range such as 0..19 or a list such as 0,3,7');
  });

  it('takes no text but a list or a range', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: fc.constantFrom(...'0123456789.,') })), (text) => {
        try {
          for (const seed of seeds(text)) expect(Number.isSafeInteger(seed) && seed >= 0, text).toBe(true);
          expect(text).toMatch(/^(\d+\.\.\d+|\d+(,\d+)*)$/);
        } catch (error) {
          if (!(error instanceof InvalidArgumentError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('path', () => {
  it('keeps every text as it is but the blank one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        if (text.trim() === '') expect(() => path(text)).toThrow('Expected a path.');
        else expect(path(text)).toBe(text);
      }),
    );
    for (const blank of ['', ' ', '\t\n']) expect(() => path(blank)).toThrow(InvalidArgumentError);
  });
});
