import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packedLimit, unpack } from '../../src/data/unpack.js';
import { knownFile } from './idxFiles.js';

const content = fc.uint8Array({ minLength: 1, maxLength: 400 }).filter((bytes) => bytes[0] !== 0x1f);

async function problemOf(stored: Uint8Array, file: ReturnType<typeof knownFile>): Promise<string> {
  const unpacked = await unpack(stored, file);
  return 'problem' in unpacked ? unpacked.problem : 'none';
}

describe('unpack', () => {
  it('gives the content of the gzipped and of the plain file, in shared memory', async () => {
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        for (const stored of [bytes, gzipSync(bytes)]) {
          const unpacked = await unpack(stored, knownFile('a', bytes));
          if ('problem' in unpacked) throw new Error(unpacked.problem);
          expect(unpacked.content).toEqual(bytes);
          expect(unpacked.content.buffer).toBeInstanceOf(SharedArrayBuffer);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('names the problem of every truncated file', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.nat(), async (bytes, cut) => {
        const file = knownFile('a', bytes);
        expect(await problemOf(bytes.subarray(0, cut % bytes.length), file)).toMatch(/^holds \d+ bytes, expected \d+$/);
        const packed = gzipSync(bytes);
        // From 2 bytes on it is still known as gzip.
        const kept = 2 + (cut % (packed.length - 2));
        expect(await problemOf(packed.subarray(0, kept), file)).toBe('cannot be unpacked (unexpected end of file)');
      }),
      { numRuns: 30 },
    );
  });

  it('names the problem of every flipped bit of the content', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.nat(), async (bytes, flip) => {
        const file = knownFile('a', bytes);
        const bit = flip % (8 * bytes.length);
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(await problemOf(gzipSync(flipped), file)).toMatch(
          new RegExp(`^has the sha256 [0-9a-f]{64}, expected ${file.sha256}$`),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('never gives wrong content for a damaged gzip file', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.nat(), async (bytes, flip) => {
        const packed = gzipSync(bytes);
        const bit = flip % (8 * packed.length);
        packed[bit >> 3] = (packed[bit >> 3] as number) ^ (1 << (bit & 7));
        const unpacked = await unpack(packed, knownFile('a', bytes));
        // Flips in gzip's time stamp and the like are harmless.
        if ('content' in unpacked) expect(unpacked.content).toEqual(bytes);
        else expect(unpacked.problem).not.toBe('');
      }),
      { numRuns: 60 },
    );
  });

  it('refuses one byte too many', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const longer = Uint8Array.of(1, 2, 3, 4);
    for (const stored of [longer, gzipSync(longer)]) {
      expect(await problemOf(stored, knownFile('a', bytes))).toBe('holds more bytes than it should, expected 3');
    }
  });

  it('stops unpacking a gzip bomb at once', async () => {
    // 1 GiB of zeros in a file of honest size: gzip allows members to follow one another.
    const member = gzipSync(new Uint8Array(16 * 1024 * 1024), { level: 9 });
    const bomb = Buffer.concat(Array.from({ length: 64 }, () => member));
    const file = knownFile('a', new Uint8Array(100_000));
    expect(bomb.length).toBeLessThan(packedLimit(file));
    const peakBefore = process.resourceUsage().maxRSS;
    expect(await problemOf(bomb, file)).toBe('holds more bytes than it should, expected 100,000');
    const kibibytesMore = process.resourceUsage().maxRSS - peakBefore;
    expect(kibibytesMore).toBeLessThan(64 * 1024);
  });
});
