/**
 * Damaged files: whatever happened to its bytes, a file is either read, with as many numbers as its shapes say, or
 * refused with a SafetensorsError. It never crashes the reader in another way.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/graph/tensor.js';
import { sizeOf } from '../../src/graph/tensorType.js';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../src/nn/safetensors.js';

const valid = encodeSafetensors(
  new Map([
    ['0.weight', tensor([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))],
    ['0.bias', tensor([2], Float32Array.of(-1, 0.5))],
    ['scalar', tensor([], Float32Array.of(7))],
    ['empty', tensor([0, 4])],
  ]),
  { model: 'example' },
);

/** Whether a file is read; throws where it is neither read rightly nor refused. */
function isRead(file: Uint8Array): boolean {
  try {
    for (const { shape, data } of decodeSafetensors(file).tensors.values()) {
      expect(data).toBeInstanceOf(Float32Array);
      expect(data.length).toBe(sizeOf(shape));
    }
    return true;
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    expect(error.message).not.toBe('');
    return false;
  }
}

describe('a damaged file is read or refused', () => {
  it('undamaged: it is read', () => {
    expect(isRead(valid)).toBe(true);
  });

  it('cut off at any byte: refused', () => {
    for (let length = 0; length < valid.length; length++) {
      expect(isRead(valid.subarray(0, length)), `the first ${length} bytes`).toBe(false);
    }
  });

  it('longer by any bytes: refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (more) => {
        expect(isRead(Uint8Array.of(...valid, ...more))).toBe(false);
      }),
    );
  });

  it('with any single bit flipped', () => {
    let read = 0;
    for (let bit = 0; bit < 8 * valid.length; bit++) {
      const file = valid.slice();
      file[bit >> 3] = (file[bit >> 3] as number) ^ (1 << (bit & 7));
      if (isRead(file)) read++;
    }
    // The bits of the nine numbers themselves at least.
    expect(read).toBeGreaterThanOrEqual(9 * 32);
    expect(read).toBeLessThan(8 * valid.length);
  });

  it('with some bytes replaced', () => {
    const place = fc.nat(valid.length - 1);
    const change = fc.tuple(
      place,
      fc.oneof(fc.nat(255), fc.constantFrom(...new TextEncoder().encode('0123456789-"[]{},:'))),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const file = valid.slice();
        for (const [at, byte] of changes) file[at] = byte;
        isRead(file);
      }),
      { numRuns: 3000 },
    );
  });

  it('with a piece cut out or doubled', () => {
    fc.assert(
      fc.property(fc.nat(valid.length), fc.nat(valid.length), fc.boolean(), (a, b, isDoubled) => {
        const [begin, end] = [Math.min(a, b), Math.max(a, b)];
        const rest = isDoubled ? valid.subarray(begin) : valid.subarray(end);
        isRead(Uint8Array.of(...valid.subarray(0, isDoubled ? end : begin), ...rest));
      }),
      { numRuns: 1000 },
    );
  });

  it('of nothing but noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, hasLength) => {
        // With a header length that fits, the noise itself is read as a header.
        if (hasLength && noise.length >= 8) noise.set([noise.length - 8, 0, 0, 0, 0, 0, 0, 0]);
        isRead(noise);
      }),
      { numRuns: 1000 },
    );
  });

  it('with any JSON for a header', () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ maxLength: 16 }), (header, data) => {
        const text = new TextEncoder().encode(header);
        const file = new Uint8Array(8 + text.length + data.length);
        new DataView(file.buffer).setUint32(0, text.length, true);
        file.set(text, 8);
        file.set(data, 8 + text.length);
        isRead(file);
      }),
      { numRuns: 1000 },
    );
  });
});
