import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/dataError.js';
import { parseIdxImages, parseIdxLabels } from '../../src/data/idx.js';
import { idxFile } from './idxFiles.js';

const size = fc.integer({ min: 1, max: 7 });
const images = fc
  .tuple(size, size, size)
  .chain(([n, height, width]) =>
    fc.record({
      n: fc.constant(n),
      height: fc.constant(height),
      width: fc.constant(width),
      pixels: fc.uint8Array({ minLength: n * height * width, maxLength: n * height * width }),
    }),
  )
  .map((parts) => ({ ...parts, file: idxFile([2051, parts.n, parts.height, parts.width], parts.pixels) }));
const labels = fc
  .uint8Array({ minLength: 1, maxLength: 50, max: 9 })
  .map((values) => ({ values, file: idxFile([2049, values.length], values) }));

describe('parseIdxImages', () => {
  it('gives back what was written, as a view of the file', () => {
    fc.assert(
      fc.property(images, ({ n, height, width, pixels, file }) => {
        const parsed = parseIdxImages(file, 'a');
        expect(parsed).toEqual({ images: pixels, length: n, height, width });
        expect(parsed.images.buffer).toBe(file.buffer);
      }),
    );
  });

  it('reads a file that is itself a view into larger memory', () => {
    fc.assert(
      fc.property(images, fc.integer({ min: 1, max: 9 }), ({ pixels, file }, offset) => {
        const memory = new Uint8Array(offset + file.length + 5).fill(255);
        memory.set(file, offset);
        expect(parseIdxImages(memory.subarray(offset, offset + file.length), 'a').images).toEqual(pixels);
      }),
    );
  });

  it('refuses every truncation and every trailing byte', () => {
    fc.assert(
      fc.property(images, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 }), ({ file }, cut, extra) => {
        expect(() => parseIdxImages(file.subarray(0, cut % file.length), 'a')).toThrow(DataError);
        expect(() => parseIdxImages(Uint8Array.from([...file, ...extra]), 'a')).toThrow(/trailing bytes/);
      }),
    );
  });

  it('refuses every flipped bit of the header', () => {
    fc.assert(
      fc.property(images, fc.integer({ min: 0, max: 16 * 8 - 1 }), ({ pixels, file }, bit) => {
        const byte = bit >> 3;
        file[byte] = (file[byte] as number) ^ (1 << (bit & 7));
        // One flipped bit changes one size, so the product of the sizes cannot stay what it was.
        expect(() => parseIdxImages(file, 'a')).toThrow(DataError);
        file[byte] ^= 1 << (bit & 7);
        expect(parseIdxImages(file, 'a').images).toEqual(pixels);
      }),
    );
  });

  it('says what is wrong, what was expected and what to do', () => {
    const pixels = new Uint8Array(12);
    const parse = (file: Uint8Array) => () => parseIdxImages(file, 'train.idx');
    expect(parse(idxFile([2049, 12], pixels))).toThrow(
      'train.idx begins with 2049, which is an idx file of labels, expected 2051; give an idx file of images.',
    );
    expect(parse(idxFile([7, 3, 2, 2], pixels))).toThrow('train.idx begins with 7, expected 2051;');
    expect(parse(idxFile([2051, 3, 2, 2], new Uint8Array(11)))).toThrow(
      'train.idx has 11 bytes after its header, expected 3 x 2 x 2 = 12; the file is truncated, get it again.',
    );
    expect(parse(new Uint8Array(15))).toThrow('train.idx has 15 bytes, expected a header of 16;');
    expect(parse(idxFile([2051, 0, 2, 2], new Uint8Array(0)))).toThrow('train.idx gives 0 as its count,');
    expect(parse(idxFile([2051, 3, 2, 0], new Uint8Array(0)))).toThrow('train.idx gives 0 as its width,');
    expect(parse(gzipSync(idxFile([2051, 3, 2, 2], pixels)))).toThrow('train.idx is still compressed with gzip;');
  });

  it('is not fooled by sizes whose product leaves 32 or 53 bits', () => {
    const parse = (header: number[]) => () => parseIdxImages(idxFile(header, new Uint8Array(0)), 'a');
    expect(parse([2051, 65536, 65536, 1])).toThrow(/truncated/);
    expect(parse([2051, 0xffffffff, 0xffffffff, 0xffffffff])).toThrow(/truncated/);
  });
});

describe('parseIdxLabels', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(labels, ({ values, file }) => {
        expect(parseIdxLabels(file, 10, 'a')).toEqual(values);
      }),
    );
  });

  it('refuses every truncation, every trailing byte and every flipped bit of the header', () => {
    fc.assert(
      fc.property(labels, fc.nat(), fc.integer({ min: 0, max: 63 }), ({ file }, cut, bit) => {
        expect(() => parseIdxLabels(file.subarray(0, cut % file.length), 10, 'a')).toThrow(DataError);
        expect(() => parseIdxLabels(Uint8Array.from([...file, 0]), 10, 'a')).toThrow(/trailing bytes/);
        const byte = bit >> 3;
        file[byte] = (file[byte] as number) ^ (1 << (bit & 7));
        expect(() => parseIdxLabels(file, 10, 'a')).toThrow(DataError);
      }),
    );
  });

  it('refuses a label that is not of a class, wherever it is', () => {
    fc.assert(
      fc.property(labels, fc.nat(), fc.integer({ min: 10, max: 255 }), ({ values, file }, where, label) => {
        const example = where % values.length;
        file[8 + example] = label;
        expect(() => parseIdxLabels(file, 10, 'test.idx')).toThrow(
          `test.idx labels example ${example} with class ${label}, expected 0 to 9;`,
        );
        expect(parseIdxLabels(file, label + 1, 'test.idx')[example]).toBe(label);
      }),
    );
  });

  it('refuses a file of images', () => {
    expect(() => parseIdxLabels(idxFile([2051, 1, 1, 1], new Uint8Array(1)), 10, 'a')).toThrow(
      'a begins with 2051, which is an idx file of images, expected 2049; give an idx file of labels.',
    );
  });
});
