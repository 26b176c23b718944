/**
 * Weights as bytes of a safetensors file, the format in which state dicts move between programs: 8 bytes of header
 * length, a JSON header of names, types, shapes and offsets, then the numbers
 * (https://github.com/huggingface/safetensors). Only float32 is read and written.
 */

import { z } from 'zod';
import type { Tensor } from '../graph/tensor.js';
import { formatShape, sizeOf } from '../graph/tensorType.js';
import type { StateDict } from './stateDict.js';

/** Bytes that are not a safetensors file, or not one that can be read here. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

/** The format's own bound on the header. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

const length = z.int().min(0);
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(length).max(8),
  data_offsets: z.tuple([length, length]),
});
const metadataSchema = z.record(z.string(), z.string());

/** A file's tensors and the free text beside them. */
export interface Safetensors {
  readonly tensors: StateDict;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Writes tensors, in their order, and metadata as a safetensors file. */
export function encodeSafetensors(tensors: StateDict, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  let offset = 0;
  // Written entry by entry: as keys of an object, names such as `7` would move and `__proto__` would be lost.
  const header = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  for (const [name, { shape, data }] of tensors) {
    const entry = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    header.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(`{${header.join()}}`);
  // The header is padded with spaces so that the numbers begin at a multiple of 8.
  const headerLength = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + headerLength + offset).fill(0x20, 0, LENGTH_BYTES + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(text, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerLength;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

function parseHeader(file: Uint8Array): { header: Map<string, unknown>; dataStart: number } {
  if (file.length < LENGTH_BYTES) {
    throw new SafetensorsError(`A safetensors file begins with ${LENGTH_BYTES} bytes, this one has ${file.length}.`);
  }
  const headerLength = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (headerLength > BigInt(Math.min(MAX_HEADER_BYTES, file.length - LENGTH_BYTES))) {
    throw new SafetensorsError(
      `The safetensors header should be ${headerLength} bytes long, the file has ${file.length - LENGTH_BYTES} after ` +
        `its first ${LENGTH_BYTES}: it is cut short or not a safetensors file.`,
    );
  }
  const dataStart = LENGTH_BYTES + Number(headerLength);
  let parsed: unknown;
  let names: string[];
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(LENGTH_BYTES, dataStart));
    parsed = JSON.parse(text);
    names = topLevelKeys(text);
  } catch {
    throw new SafetensorsError('The safetensors header is not valid JSON: the file is damaged.');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new SafetensorsError('The safetensors header is not a JSON object: the file is damaged.');
  }
  const values = new Map(Object.entries(parsed));
  const header = new Map<string, unknown>();
  for (const name of names) {
    if (header.has(name)) {
      throw new SafetensorsError(`The safetensors header names "${name}" twice: the file is damaged.`);
    }
    header.set(name, values.get(name));
  }
  return { header, dataStart };
}

/** Keys of a JSON object as written: `JSON.parse` would silently keep the last of two equal ones. */
function topLevelKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let isKey = false;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    if (token === '{' || token === '[') {
      depth++;
      isKey = depth === 1;
    } else if (token === '}' || token === ']') depth--;
    else if (token === ',') isKey = depth === 1;
    else if (token === ':') isKey = false;
    else if (isKey && depth === 1) keys.push(JSON.parse(token) as string);
  }
  return keys;
}

/**
 * Reads a safetensors file. Every byte after the header must belong to exactly one tensor, as the format demands.
 * @throws SafetensorsError where the file is damaged or holds other types than float32
 */
export function decodeSafetensors(file: Uint8Array): Safetensors {
  const { header, dataStart } = parseHeader(file);
  const metadata = metadataSchema.safeParse(header.get('__metadata__') ?? {});
  if (!metadata.success) throw new SafetensorsError('The safetensors metadata is not a table of texts.');
  header.delete('__metadata__');

  const entries = [...header].map(([name, value]) => {
    const entry = entrySchema.safeParse(value);
    if (!entry.success) throw new SafetensorsError(`The safetensors header describes "${name}" wrongly.`);
    return { name, ...entry.data };
  });
  let expectedBegin = 0;
  const dataBytes = file.length - dataStart;
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, shape, data_offsets: offsets } of entries.toSorted(byOffset)) {
    const [begin, end] = offsets;
    if (dtype !== 'F32') throw new SafetensorsError(`The tensor "${name}" is ${dtype}; only F32 can be read.`);
    if (begin !== expectedBegin || end < begin || end > dataBytes) {
      throw new SafetensorsError(
        `The tensor "${name}" claims bytes ${begin} to ${end}; expected it to begin at ${expectedBegin} and end by ` +
          `${dataBytes}: the file is damaged or cut short.`,
      );
    }
    if (end - begin !== 4 * sizeOf(shape)) {
      throw new SafetensorsError(
        `The tensor "${name}" of shape ${formatShape(shape)} needs ${4 * sizeOf(shape)} bytes, it has ${end - begin}.`,
      );
    }
    // Copied: the numbers need not be aligned in the file, and a caller may reuse its bytes.
    const data = new Float32Array(sizeOf(shape));
    new Uint8Array(data.buffer).set(file.subarray(dataStart + begin, dataStart + end));
    tensors.set(name, { shape, data });
    expectedBegin = end;
  }
  if (expectedBegin !== dataBytes) {
    throw new SafetensorsError(`The file has ${dataBytes - expectedBegin} bytes that belong to no tensor.`);
  }
  const inHeaderOrder = new Map(entries.map(({ name }) => [name, tensors.get(name) as Tensor]));
  return { tensors: inHeaderOrder, metadata: metadata.data };
}

function byOffset(a: { data_offsets: [number, number] }, b: { data_offsets: [number, number] }): number {
  return a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1];
}
