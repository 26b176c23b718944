/** Safetensors files put together by hand, right and wrong. */

/** A file of this header, as text, followed by these bytes. */
export function fileOf(
  header: string,
  data: Uint8Array = new Uint8Array(),
  headerLength?: number | bigint,
): Uint8Array {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength ?? text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

/** The description of a float32 tensor as it stands in a header. */
export function entry(shape: readonly number[], begin: number, end: number, dtype = 'F32'): string {
  return `{"dtype":"${dtype}","shape":[${shape.join()}],"data_offsets":[${begin},${end}]}`;
}
