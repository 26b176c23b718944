/**
 * The idx format of MNIST and its successors (Y. LeCun, http://yann.lecun.com/exdb/mnist): a big-endian header of
 * magic number and sizes, then plain bytes. Images are 2051, count, height, width; labels are 2049, count.
 *
 * Parsing copies nothing: what comes back is a view of the given bytes.
 */

import { DataError } from './dataError.js';

const IMAGES_MAGIC = 2051;
const LABELS_MAGIC = 2049;

/** What an unexpected magic number means, where that is known. */
const KNOWN_MAGIC: ReadonlyMap<number, string> = new Map([
  [IMAGES_MAGIC, ', which is an idx file of images'],
  [LABELS_MAGIC, ', which is an idx file of labels'],
]);

/** Grey-scale images, one byte a pixel, row by row, image after image. */
export interface IdxImages {
  /** `length * height * width` bytes. */
  readonly images: Uint8Array;
  readonly length: number;
  readonly height: number;
  readonly width: number;
}

/** Reads a header of big-endian 32-bit words, magic number first. */
function readHeader(bytes: Uint8Array, name: string, magic: number, what: string, words: number): number[] {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new DataError(`${name} is still compressed with gzip; unpack it before parsing.`);
  }
  if (bytes.length < 4 * words) {
    throw new DataError(
      `${name} has ${bytes.length} bytes, expected a header of ${4 * words}; the file is truncated, get it again.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4 * words);
  const header = Array.from({ length: words }, (_, word) => view.getUint32(4 * word));
  const found = header[0] as number;
  if (found !== magic) {
    throw new DataError(
      `${name} begins with ${found}${KNOWN_MAGIC.get(found) ?? ''}, expected ${magic}; give an idx file of ${what}.`,
    );
  }
  const empty = header.indexOf(0);
  if (empty !== -1) {
    const size = ['magic number', 'count', 'height', 'width'][empty];
    throw new DataError(`${name} gives 0 as its ${size}, expected at least 1; give an idx file that holds ${what}.`);
  }
  return header;
}

/** Refuses a body that is not exactly as long as the header says. */
function checkLength(bytes: Uint8Array, name: string, headerBytes: number, sizes: string, bodyBytes: number): void {
  const found = bytes.length - headerBytes;
  if (found === bodyBytes) return;
  const flaw = found < bodyBytes ? 'is truncated' : 'has trailing bytes';
  throw new DataError(
    `${name} has ${found} bytes after its header, expected ${sizes} = ${bodyBytes}; the file ${flaw}, get it again.`,
  );
}

/**
 * Parses an idx file of images.
 * @param bytes the whole file, unpacked
 * @param name what to call the file in an error
 * @returns a view of `bytes`
 * @throws DataError where the file is not exactly an idx file of at least one image
 */
export function parseIdxImages(bytes: Uint8Array, name: string): IdxImages {
  const [, length, height, width] = readHeader(bytes, name, IMAGES_MAGIC, 'images', 4) as [
    magic: number,
    length: number,
    height: number,
    width: number,
  ];
  checkLength(bytes, name, 16, `${length} x ${height} x ${width}`, length * height * width);
  return { images: bytes.subarray(16), length, height, width };
}

/**
 * Parses an idx file of labels.
 * @param bytes the whole file, unpacked
 * @param classCount every label must be smaller
 * @param name what to call the file in an error
 * @returns one class index per example, a view of `bytes`
 * @throws DataError where the file is not exactly an idx file of at least one label, or a label is not of a class
 */
export function parseIdxLabels(bytes: Uint8Array, classCount: number, name: string): Uint8Array {
  const [, length] = readHeader(bytes, name, LABELS_MAGIC, 'labels', 2) as [magic: number, length: number];
  checkLength(bytes, name, 8, `${length}`, length);
  const labels = bytes.subarray(8);
  const wrong = labels.findIndex((label) => label >= classCount);
  if (wrong !== -1) {
    throw new DataError(
      `${name} labels example ${wrong} with class ${labels[wrong]}, expected 0 to ${classCount - 1}; ` +
        'the file is damaged or has other classes.',
    );
  }
  return labels;
}
