/**
 * From the bytes of a stored file to the content it should hold. The content is known beforehand by its length and
 * sha256; mirrors compress it differently, so only the content can be checked. Because the length is known, memory
 * is bounded whatever the file tries: unpacking stops at the first byte too many.
 */

import { createHash } from 'node:crypto';
import { createGunzip } from 'node:zlib';

/** A file whose content is known. */
export interface KnownFile {
  /** File name without `.gz`. */
  readonly name: string;
  /** Length of the content in bytes. */
  readonly byteLength: number;
  /** sha256 of the content, as hexadecimal digits. */
  readonly sha256: string;
}

/** The content in shared memory, so that it reaches a worker thread uncopied; or what is wrong with it. */
export type Unpacked = { readonly content: Uint8Array } | { readonly problem: string };

/** gunzip's own default of 16 KiB a piece costs three thousand trips to its thread for the training images. */
const PIECE_BYTES = 256 * 1024;

/** More bytes than any honest copy of the file has: gzip adds next to nothing even to what it cannot compress. */
export function packedLimit(file: KnownFile): number {
  return file.byteLength + 1024 * 1024;
}

/** A whole number as in a sentence: 47,040,016. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

function gunzip(packed: Uint8Array): AsyncIterable<Uint8Array> {
  const stream = createGunzip({ chunkSize: PIECE_BYTES });
  stream.end(packed);
  return stream;
}

/**
 * Unpacks `stored` and checks that it holds the content of `file`. Both the gzipped and the plain content are taken,
 * told apart by their first bytes and not by the file's name: browsers and servers unpack silently.
 * @returns the content, or a problem as a clause that goes on from the file's name: `holds 12 bytes, ...`
 */
export async function unpack(stored: Uint8Array, file: KnownFile): Promise<Unpacked> {
  const gzipped = stored[0] === 0x1f && stored[1] === 0x8b;
  const content = new Uint8Array(new SharedArrayBuffer(file.byteLength));
  const hash = createHash('sha256');
  const expected = `expected ${formatCount(file.byteLength)}`;
  let length = 0;
  try {
    for await (const piece of gzipped ? gunzip(stored) : [stored]) {
      if (length + piece.length > file.byteLength) {
        return { problem: `holds more bytes than it should, ${expected}` };
      }
      content.set(piece, length);
      hash.update(piece);
      length += piece.length;
    }
  } catch (error) {
    return { problem: `cannot be unpacked (${(error as Error).message})` };
  }
  if (length < file.byteLength) return { problem: `holds ${formatCount(length)} bytes, ${expected}` };
  const sha256 = hash.digest('hex');
  if (sha256 !== file.sha256) return { problem: `has the sha256 ${sha256}, expected ${file.sha256}` };
  return { content };
}
