/** Bytes for the tests: idx files with header and body apart so that each can be wrong, known files, comparison. */

import { createHash } from 'node:crypto';
import type { KnownFile } from '../../src/data/unpack.js';

/** An idx file: big-endian 32-bit header words, then the body. */
export function idxFile(header: readonly number[], body: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 * header.length + body.length);
  const view = new DataView(file.buffer);
  for (const [word, value] of header.entries()) view.setUint32(4 * word, value);
  file.set(body, 4 * header.length);
  return file;
}

/** Describes content as the data room describes the files it knows. */
export function knownFile(name: string, content: Uint8Array): KnownFile {
  return { name, byteLength: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

/** Whether two byte arrays are equal; `toEqual` on large ones takes seconds and gigabytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [a, b].map(({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length));
  return (left as Buffer).equals(right as Buffer);
}
