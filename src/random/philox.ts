/**
 * Stateless random numbers: every draw is a function of (seed, purpose, index, counter). There is no generator state
 * to save or to pass around, so a resumed run draws exactly what the uninterrupted one would have drawn.
 *
 * The generator is Philox 4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel Random Numbers: As Easy as
 * 1, 2, 3" (SC 2011). It maps a 128-bit counter and a 64-bit key to 128 random bits by ten rounds of multiplication.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the product of two unsigned 32-bit numbers, as a signed 32-bit number. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + (carry >>> 16)) | 0;
}

/**
 * One Philox 4x32-10 block.
 * @param counter four unsigned 32-bit words
 * @param key two unsigned 32-bit words
 * @param out receives four unsigned 32-bit words from `offset` on
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
  offset = 0,
): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/** What random numbers are drawn for: different purposes never share a draw. */
export const Purpose = { initialisation: 1, shuffle: 2, dropout: 3 } as const;
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/**
 * A sequence of random numbers named by (seed, purpose, a, b): asking again gives the same sequence.
 * @param seed any safe non-negative integer
 * @param a first index of the sequence, e.g. the epoch of a shuffle
 * @param b second index, e.g. the layer of a dropout mask
 */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #a: number;
  readonly #b: number;
  readonly #block = new Uint32Array(4);
  #counter = 0;
  #used = 4;

  constructor(seed: number, purpose: Purpose, a = 0, b = 0) {
    const high = Math.floor(seed / 2 ** 32);
    // The purpose sits in the key's top byte: seeds below 2^53 leave it free.
    this.#key = [seed >>> 0, ((high & 0xffffff) | (purpose << 24)) >>> 0];
    this.#a = a >>> 0;
    this.#b = b >>> 0;
  }

  /** Next 32 random bits as an unsigned integer. */
  uint32(): number {
    if (this.#used === 4) {
      philox4x32([this.#counter, 0, this.#a, this.#b], this.#key, this.#block);
      this.#counter++;
      this.#used = 0;
    }
    return this.#block[this.#used++] as number;
  }

  /** Uniform in [0, 1), with the 24 bits that a float32 can hold. */
  uniform(): number {
    return (this.uint32() >>> 8) / 2 ** 24;
  }

  /** Standard normal, by Box and Muller (1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Uniform integer in [0, bound): exact by rejection, for 1 <= bound <= 2^32. */
  integer(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const bits = this.uint32();
      if (bits < limit) return bits % bound;
    }
  }

  /** A random order of 0 .. length - 1 (Fisher and Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swapped = order[i] as number;
      order[i] = order[j] as number;
      order[j] = swapped;
    }
    return order;
  }
}
