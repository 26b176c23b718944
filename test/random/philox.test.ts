/** The random numbers: the published generator, and sequences that are what their names say and nothing else. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Purpose, philox4x32, RandomStream } from '../../src/random/philox.js';

const ONES = 0xffffffff;

describe('philox4x32', () => {
  // "kat_vectors" of Random123, the authors' own implementation.
  it.each([
    {
      counter: [0, 0, 0, 0] as const,
      key: [0, 0] as const,
      expected: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      counter: [ONES, ONES, ONES, ONES] as const,
      key: [ONES, ONES] as const,
      expected: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      // The digits of pi.
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const,
      key: [0xa4093822, 0x299f31d0] as const,
      expected: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])('gives what Random123 gives for counter $counter and key $key', ({ counter, key, expected }) => {
    const out = new Uint32Array(6);
    philox4x32(counter, key, out, 1);
    expect([...out]).toEqual([0, ...expected, 0]);
  });

  it('multiplies as whole numbers do', () => {
    // One round more or less, or a lost carry, would show in the vectors above only by luck: here each is recomputed
    // with numbers of any size.
    const word = fc.integer({ min: 0, max: ONES });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
        let [k0, k1] = key.map(BigInt) as [bigint, bigint];
        for (let round = 0; round < 10; round++) {
          const [product0, product1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
          [c0, c1, c2, c3] = [
            (product1 >> 32n) ^ c1 ^ k0,
            product1 & 0xffffffffn,
            (product0 >> 32n) ^ c3 ^ k1,
            product0 & 0xffffffffn,
          ];
          k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
          k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
        }
        const out = new Uint32Array(4);
        philox4x32(counter, key, out);
        expect([...out]).toEqual([c0, c1, c2, c3].map(Number));
      }),
    );
  });
});

/** The first numbers of a sequence. */
function take(stream: RandomStream, length = 8): number[] {
  return Array.from({ length }, () => stream.uint32());
}

describe('RandomStream', () => {
  it('is the same sequence each time it is named', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.constantFrom(...Object.values(Purpose)), fc.nat(), fc.nat(), (seed, p, a, b) => {
        expect(take(new RandomStream(seed, p, a, b))).toEqual(take(new RandomStream(seed, p, a, b)));
      }),
    );
  });

  it('is another sequence where seed, purpose or an index differs', () => {
    const name = fc.tuple(fc.maxSafeNat(), fc.constantFrom(...Object.values(Purpose)), fc.nat(1000), fc.nat(1000));
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one.some((value, i) => value !== other[i]));
        expect(take(new RandomStream(...one))).not.toEqual(take(new RandomStream(...other)));
      }),
    );
    const base = take(new RandomStream(7, Purpose.shuffle, 1, 2));
    // A difference in one place only, also in the upper bits of a large seed.
    for (const stream of [
      new RandomStream(8, Purpose.shuffle, 1, 2),
      new RandomStream(7 + 2 ** 32, Purpose.shuffle, 1, 2),
      new RandomStream(7 + 2 ** 52, Purpose.shuffle, 1, 2),
      new RandomStream(7, Purpose.dropout, 1, 2),
      new RandomStream(7, Purpose.shuffle, 2, 2),
      new RandomStream(7, Purpose.shuffle, 1, 1),
      new RandomStream(7, Purpose.shuffle, 2, 1),
    ]) {
      expect(take(stream)).not.toEqual(base);
    }
  });

  it('does not repeat itself', () => {
    const numbers = take(new RandomStream(0, Purpose.dropout), 4000);
    // Among 4000 of 2^32 numbers two are equal by chance in one of 540 sequences; in this one none are.
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  const N = 20_000;

  it('is uniform: moments, and every part of [0, 1) alike', () => {
    const random = new RandomStream(1, Purpose.initialisation);
    const numbers = Array.from({ length: N }, () => random.uniform());
    const mean = numbers.reduce((sum, x) => sum + x, 0) / N;
    const variance = numbers.reduce((sum, x) => sum + (x - 0.5) ** 2, 0) / N;
    // Within four standard errors: sqrt(1 / 12 / N) = 0.0020 and sqrt(1 / 180 / N) = 0.00053.
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * 0.002);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * 0.00053);
    const parts = new Array<number>(16).fill(0);
    for (const x of numbers) {
      expect(x).toBe(Math.fround(x));
      parts[Math.floor(16 * x)] = (parts[Math.floor(16 * x)] ?? 0) + 1;
    }
    const chiSquare = parts.reduce((sum, count) => sum + (count - N / 16) ** 2 / (N / 16), 0);
    // Of 15 degrees of freedom: above 37.7 in one of a thousand.
    expect(chiSquare).toBeLessThan(37.7);
    expect(parts).toHaveLength(16);
  });

  it('is normal: moments', () => {
    const random = new RandomStream(1, Purpose.initialisation);
    const numbers = Array.from({ length: N }, () => random.normal());
    const moment = (power: number) => numbers.reduce((sum, x) => sum + x ** power, 0) / N;
    // Within four standard errors, the roots of (1, 2, 15, 96) / N.
    expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / N));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / N));
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / N));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / N));
    expect(numbers.every(Number.isFinite)).toBe(true);
  });

  it('draws whole numbers below a bound, each alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(), (bound, seed) => {
        const drawn = new RandomStream(seed, Purpose.shuffle).integer(bound);
        expect(Number.isInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true);
      }),
    );
    const random = new RandomStream(3, Purpose.shuffle);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 7000; i++) {
      const drawn = random.integer(7);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    // Four standard deviations of a count: 4 * sqrt(7000 * 1/7 * 6/7) = 117.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(117);
  });

  it('rejects what would favour small numbers', () => {
    // Below 3 * 2^30 a remainder of 32 bits would fall in the first third twice as often as in the others.
    const random = new RandomStream(5, Purpose.shuffle);
    const bound = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 3000; i++) if (random.integer(bound) < 2 ** 30) low++;
    // A third of 3000, within four standard deviations of 26.
    expect(Math.abs(low - 1000)).toBeLessThan(104);
  });

  it('permutes: every index once', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(), fc.nat(), (length, seed, epoch) => {
        const order = new RandomStream(seed, Purpose.shuffle, epoch).permutation(length);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
      }),
    );
  });

  it('gives every order of three alike', () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 3000; epoch++) {
      const order = new RandomStream(0, Purpose.shuffle, epoch).permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 500 each, within four standard deviations of 20.
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(82);
  });
});
