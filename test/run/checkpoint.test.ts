/** Checkpoints as bytes: what is written is read again, and no damaged byte, missing end or added one goes unseen. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateDict } from '../../src/nn/stateDict.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/run/checkpoint.js';
import { arbitraryCheckpoint, SMALL_CHECKPOINT } from './checkpoints.js';

/** Whether bytes are refused as they should be; throws where they are refused in another way. */
function isRefused(bytes: Uint8Array): boolean {
  try {
    decodeCheckpoint(bytes);
    return false;
  } catch (error) {
    if (!(error instanceof Error) || !['RunError', 'SafetensorsError'].includes(error.name)) throw error;
    expect(error.message).toMatch(/^[^\n]+\.$/);
    return true;
  }
}

/** Tensors as bits, so that NaN and -0 are told apart too. */
const bitsOf = (state: StateDict) =>
  [...state].map(([name, { shape, data }]) => ({
    name,
    shape,
    bits: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
  }));

const plain = ({ snapshot: { state, velocities, progress }, ...rest }: Checkpoint) => ({
  state: bitsOf(state),
  velocities: bitsOf(velocities),
  progress,
  ...rest,
});

describe('a checkpoint', () => {
  it('is read as it was written: names, shapes, bits and progress', () => {
    fc.assert(
      fc.property(arbitraryCheckpoint, (checkpoint) => {
        expect(plain(decodeCheckpoint(encodeCheckpoint(checkpoint)))).toEqual(plain(checkpoint));
      }),
      { numRuns: 500 },
    );
  });

  it('is the same bytes whenever it is written, also after it was read', () => {
    fc.assert(
      fc.property(arbitraryCheckpoint, (checkpoint) => {
        const bytes = encodeCheckpoint(checkpoint);
        expect(Buffer.compare(encodeCheckpoint(decodeCheckpoint(bytes)), bytes)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('lies in memory that its reader may write over', () => {
    const bytes = encodeCheckpoint(SMALL_CHECKPOINT);
    const read = decodeCheckpoint(bytes);
    bytes.fill(0);
    expect(plain(read)).toEqual(plain(SMALL_CHECKPOINT));
  });

  it('is read from the middle of a larger buffer, at any alignment', () => {
    const bytes = encodeCheckpoint(SMALL_CHECKPOINT);
    for (let shift = 0; shift < 8; shift++) {
      const larger = new Uint8Array(bytes.length + 16);
      larger.set(bytes, shift);
      const read = decodeCheckpoint(larger.subarray(shift, shift + bytes.length));
      expect(plain(read)).toEqual(plain(SMALL_CHECKPOINT));
    }
  });
});

describe('damage', () => {
  const intact = encodeCheckpoint(SMALL_CHECKPOINT);

  it('any single flipped bit is seen', () => {
    const missed: number[] = [];
    for (let bit = 0; bit < 8 * intact.length; bit++) {
      const bytes = intact.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      if (!isRefused(bytes)) missed.push(bit);
    }
    expect(missed).toEqual([]);
  });

  it('any single byte of another value is seen', () => {
    fc.assert(
      fc.property(fc.nat(intact.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = intact.slice();
        bytes[at] = (bytes[at] as number) ^ change;
        expect(isRefused(bytes)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('every missing end is seen', () => {
    const missed = Array.from(intact, (_, length) => length).filter((length) => !isRefused(intact.subarray(0, length)));
    expect(missed).toEqual([]);
  });

  it('added bytes are seen', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 32 }), (more) => {
        expect(isRefused(Uint8Array.of(...intact, ...more))).toBe(true);
      }),
    );
  });

  it('the checksum of another checkpoint is seen', () => {
    const other = encodeCheckpoint({ ...SMALL_CHECKPOINT, bestTestAccuracy: 0.5 });
    const [own, foreign] = [intact, other].map((bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      return { text, sum: text.match(/"sha256":"([0-9a-f]{64})"\}/)?.[1] ?? '' };
    });
    expect(own?.sum).toHaveLength(64);
    expect(foreign?.sum).not.toBe(own?.sum);
    const mixed = Buffer.from(own?.text.replace(own.sum, foreign?.sum ?? '') ?? '', 'latin1');
    expect(mixed.length).toBe(intact.length);
    expect(isRefused(mixed)).toBe(true);
  });
});
