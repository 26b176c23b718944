/** Safetensors files: what is written can be read again, and what other programs write is read as they mean it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/graph/tensor.js';
import { sizeOf } from '../../src/graph/tensorType.js';
import { initialise } from '../../src/nn/initialise.js';
import { nin } from '../../src/nn/models/nin.js';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../src/nn/safetensors.js';
import { stateDict } from '../../src/nn/stateDict.js';
import { entry, fileOf } from './safetensorsFiles.js';

/** The bits of a tensor: NaN equals itself, 0 is not -0. */
const bits = ({ shape, data }: Tensor) => ({
  shape,
  bits: [...new Uint32Array(data.buffer, data.byteOffset, data.length)],
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

/** Names that people use, any text, and names that mean something to JavaScript. */
const name = fc
  .oneof(
    fc.constantFrom(
      '0.0.weight',
      '7.4.bias',
      '',
      '0',
      '10',
      '2',
      '__proto__',
      'constructor',
      'toString',
      '"\\\n',
      'a b',
    ),
    fc.string(),
    fc.string({ unit: 'binary' }),
  )
  .filter((text) => text !== '__metadata__');

const anyTensor = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
  .chain((shape) =>
    fc
      .float32Array({ minLength: sizeOf(shape), maxLength: sizeOf(shape) })
      .map((data): Tensor => ({ shape, data: new Float32Array(data) })),
  );

const anyState = fc
  .uniqueArray(fc.tuple(name, anyTensor), { selector: ([text]) => text, maxLength: 6 })
  .map((entries) => new Map(entries));

describe('round trip', () => {
  it('keeps names, their order, shapes, every bit and the metadata', () => {
    const metadata = fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true, maxKeys: 3 });
    fc.assert(
      fc.property(anyState, metadata, (state, texts) => {
        const { ['__proto__']: _, ...kept } = texts;
        const read = decodeSafetensors(encodeSafetensors(state, kept));
        expect([...read.tensors.keys()]).toEqual([...state.keys()]);
        expect([...read.tensors.values()].map(bits)).toEqual([...state.values()].map(bits));
        expect(read.metadata).toEqual(kept);
      }),
    );
  });

  it('of the weights of NiN', () => {
    const net = nin();
    initialise(net, 'xavierUniform', 3);
    const state = stateDict(net);
    const file = encodeSafetensors(state, { model: 'NiN' });
    expect(file.length).toBeGreaterThan(4 * 1_992_166);
    const read = decodeSafetensors(file);
    expect(read.metadata).toEqual({ model: 'NiN' });
    expect([...read.tensors.keys()]).toEqual([...state.keys()]);
    for (const [key, { shape, data }] of state) {
      const same = read.tensors.get(key);
      expect(same?.shape).toEqual(shape);
      expect(Buffer.compare(bytesOf(data), bytesOf(same?.data ?? new Float32Array()))).toBe(0);
    }
  });

  it('of tensors that are views into a larger buffer', () => {
    const all = Float32Array.of(1, 2, 3, 4, 5);
    const { tensors } = decodeSafetensors(encodeSafetensors(new Map([['x', tensor([2], all.subarray(2, 4))]])));
    expect([...(tensors.get('x')?.data ?? [])]).toEqual([3, 4]);
  });
});

describe('a written file', () => {
  it('has the bytes that the format says', () => {
    const state = new Map([
      ['b', tensor([2], Float32Array.of(1, -2))],
      ['a', tensor([], Float32Array.of(0.5))],
    ]);
    const header = `{"b":${entry([2], 0, 8)},"a":${entry([], 8, 12)}}`;
    const numbers = Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f);
    expect(encodeSafetensors(state)).toEqual(fileOf(header.padEnd(Math.ceil(header.length / 8) * 8), numbers));
  });

  it('has its numbers at a multiple of 8 bytes', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const file = encodeSafetensors(state);
        const headerLength = Number(new DataView(file.buffer).getBigUint64(0, true));
        expect(headerLength % 8).toBe(0);
        const data = [...state.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
        expect(file.length).toBe(8 + headerLength + data);
      }),
    );
  });
});

describe('a file of another program', () => {
  const two = Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0x40);

  it('may have any spaces in its header, and its tensors in another order than its header', () => {
    const header = ` { "b" : ${entry([1], 4, 8)} ,\n"a":${entry([1], 0, 4)} } `;
    const { tensors } = decodeSafetensors(fileOf(header, two));
    expect([...tensors].map(([key, { data }]) => [key, ...data])).toEqual([
      ['b', 2],
      ['a', 1],
    ]);
  });

  it('may have numbers that are not aligned', () => {
    const header = `{"a":${entry([2], 0, 8)}}`;
    for (let spaces = 0; spaces < 8; spaces++) {
      const { tensors } = decodeSafetensors(fileOf(header + ' '.repeat(spaces), two));
      expect([...(tensors.get('a')?.data ?? [])]).toEqual([1, 2]);
    }
  });

  it('may be a part of a larger buffer, of which nothing is kept', () => {
    const file = fileOf(`{"a":${entry([2], 0, 8)}}`, two);
    const buffer = Buffer.alloc(file.length + 13, 0xff);
    buffer.set(file, 5);
    const { tensors } = decodeSafetensors(buffer.subarray(5, 5 + file.length));
    buffer.fill(0);
    expect([...(tensors.get('a')?.data ?? [])]).toEqual([1, 2]);
  });

  it('may have keys inside its metadata that its tensors have too', () => {
    const header = `{"__metadata__":{"a":"x","dtype":"y"},"a":${entry([2], 0, 8)}}`;
    const { tensors, metadata } = decodeSafetensors(fileOf(header, two));
    expect(metadata).toEqual({ a: 'x', dtype: 'y' });
    expect([...tensors.keys()]).toEqual(['a']);
  });

  it('may be empty', () => {
    expect(decodeSafetensors(fileOf('{}'))).toEqual({ tensors: new Map(), metadata: {} });
  });

  it('may name a tensor __proto__, which is a name like any other', () => {
    const { tensors } = decodeSafetensors(fileOf(`{"__proto__":${entry([2], 0, 8)}}`, two));
    expect([...tensors.keys()]).toEqual(['__proto__']);
    const harmless = `{"__metadata__":{"__proto__":"polluted"},"a":${entry([2], 0, 8)}}`;
    decodeSafetensors(fileOf(harmless, two));
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe('a file is refused', () => {
  const eight = new Uint8Array(8);
  const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
  it.each<[string, Uint8Array, string | RegExp]>([
    ['that is too short for a length', bytes('1234567'), 'begins with 8 bytes, this one has 7'],
    ['that is empty', new Uint8Array(), 'begins with 8 bytes, this one has 0'],
    ['whose header is longer than the file', fileOf('{}', eight, 11), 'should be 11 bytes long, the file has 10'],
    ['whose header is longer than any', fileOf('{}', eight, 2n ** 64n - 1n), 'should be 18446744073709551615 bytes'],
    ['that is a picture', bytes('\x89PNG\r\n\x1a\n and so on'), 'not a safetensors file'],
    ['whose header is not JSON', fileOf('{"a":}'), 'not valid JSON'],
    ['whose header is cut off', fileOf('{}', eight, 1), 'not valid JSON'],
    ['whose header is not UTF-8', fileOf('{"  ":0}', eight).fill(0xff, 10, 12), 'not valid JSON'],
    ['whose header is empty', fileOf('', eight), 'not valid JSON'],
    ['whose header is a list', fileOf('[]'), 'not a JSON object'],
    ['whose header is null', fileOf('null'), 'not a JSON object'],
    ['whose header nests deeply', fileOf('['.repeat(200_000) + ']'.repeat(200_000)), /not (a JSON object|valid JSON)/],
    [
      'whose description nests deeply',
      fileOf(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
      /describes "a" wrongly|not valid JSON/,
    ],
    ['whose description is a number', fileOf('{"a":1}'), 'describes "a" wrongly'],
    ['without offsets', fileOf('{"a":{"dtype":"F32","shape":[2]}}', eight), 'describes "a" wrongly'],
    ['with three offsets', fileOf('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}}', eight), 'describes "a"'],
    ['with a negative length', fileOf(`{"a":${entry([-2], 0, 8)}}`, eight), 'describes "a" wrongly'],
    ['with half a length', fileOf(`{"a":${entry([0.5, 4], 0, 8)}}`, eight), 'describes "a" wrongly'],
    ['with a length beyond exact numbers', fileOf(`{"a":${entry([2 ** 60], 0, 8)}}`, eight), 'describes "a" wrongly'],
    [
      'with lengths whose product is beyond exact numbers',
      fileOf(`{"a":${entry([2 ** 52, 2 ** 52], 0, 8)}}`, eight),
      'needs 8.112963841460668e+31 bytes, it has 8',
    ],
    ['with another type', fileOf(`{"a":${entry([1], 0, 8, 'F64')}}`, eight), 'The tensor "a" is F64; only F32'],
    ['with another shape', fileOf(`{"a":${entry([3], 0, 8)}}`, eight), 'of shape 3 needs 12 bytes, it has 8'],
    ['that ends before its tensor', fileOf(`{"a":${entry([3], 0, 12)}}`, eight), 'claims bytes 0 to 12'],
    ['with offsets the wrong way round', fileOf(`{"a":${entry([0], 8, 0)}}`, eight), 'claims bytes 8 to 0'],
    ['with a hole before a tensor', fileOf(`{"a":${entry([1], 4, 8)}}`, eight), 'expected it to begin at 0'],
    [
      'with overlapping tensors',
      fileOf(`{"a":${entry([2], 0, 8)},"b":${entry([1], 4, 8)}}`, eight),
      'The tensor "b" claims bytes 4 to 8; expected it to begin at 8',
    ],
    [
      'with two tensors at one place',
      fileOf(`{"a":${entry([2], 0, 8)},"b":${entry([2], 0, 8)}}`, eight),
      'expected it to begin at 8',
    ],
    ['with bytes of no tensor', fileOf(`{"a":${entry([1], 0, 4)}}`, eight), 'has 4 bytes that belong to no tensor'],
    ['with a name twice', fileOf(`{"a":${entry([2], 0, 8)},"a":${entry([2], 0, 8)}}`, eight), 'names "a" twice'],
    [
      'with a name twice, once in disguise',
      fileOf(`{"a":${entry([2], 0, 8)},"\\u0061":${entry([2], 0, 8)}}`, eight),
      'names "a" twice',
    ],
    [
      'with __proto__ twice',
      fileOf(`{"__proto__":1,"__proto__":${entry([2], 0, 8)}}`, eight),
      'names "__proto__" twice',
    ],
    ['with metadata that are no texts', fileOf('{"__metadata__":{"epoch":3}}'), 'not a table of texts'],
  ])('%s', (_, file, message) => {
    let error: unknown;
    try {
      decodeSafetensors(file);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SafetensorsError);
    expect((error as SafetensorsError).message).toMatch(message);
  });

  it('with very many names, in the time that one pass takes', () => {
    // Comparing each name with each other would take a minute.
    const entries = Array.from({ length: 300_000 }, (_, i) => `"${i}":0`);
    expect(() => decodeSafetensors(fileOf(`{${entries}}`))).toThrow('describes "0" wrongly');
  }, 10_000);
});
