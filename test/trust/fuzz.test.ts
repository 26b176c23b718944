/**
 * Malformed inputs by the thousand: configurations, networks, records, checkpoints, weights, command lines. Each is
 * either taken and holds what it should, or refused in a sentence; nothing hangs, and nothing ends in a stack.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/graph/tensorType.js';
import { layerFromJSON } from '../../src/nn/fromJSON.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/nn/safetensors.js';
import { type StateDict, stateShapes, walk } from '../../src/nn/stateDict.js';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/run/checkpoint.js';
import { runConfigSchema } from '../../src/run/runConfig.js';
import { parseEvents, SavedRun } from '../../src/run/runFolder.js';
import { PRESETS } from '../../src/training/presets.js';
import { manyCommandLines, temporaryFolder } from '../cli/nin.js';
import { SMALL_CHECKPOINT } from '../run/checkpoints.js';
import { QUICK_CONFIG } from '../run/configs.js';
import { LAST, PREVIOUS } from '../run/runs.js';

const folder = await temporaryFolder();

/** Inputs tried, by their kind: how many were taken and how many refused. */
const tally = new Map<string, { taken: number; refused: number }>();
afterAll(() => {
  const counts = [...tally].map(([kind, { taken, refused }]) => `${kind} ${taken + refused} (${taken} taken)`);
  const total = [...tally.values()].reduce((sum, { taken, refused }) => sum + taken + refused, 0);
  console.log(`${total} malformed inputs tried: ${counts.join(', ')}`);
});

/** Longest time for one input, in milliseconds: thousands of times what it takes. */
const PATIENCE = 2000;
const EXPECTED = ['DataError', 'GraphError', 'RunError', 'SafetensorsError'];

function count(kind: string, isTaken: boolean): void {
  const counts = tally.get(kind) ?? { taken: 0, refused: 0 };
  tally.set(kind, counts);
  counts[isTaken ? 'taken' : 'refused']++;
}

/** Expects an error made for people: one line, that ends as a sentence does. */
function expectSentence(error: unknown): void {
  if (!(error instanceof Error) || !EXPECTED.includes(error.name)) throw error;
  expect(error.message).toMatch(/^[^\n]+[.?)]$/);
  expect(error.message).not.toMatch(/\bat .*:\d+:\d+/);
  expect(error.message.length).toBeLessThan(1000);
}

/** Tries one input; whether it is taken. What is taken is checked by `read` itself. */
async function isTaken(kind: string, read: () => unknown): Promise<boolean> {
  const startedAt = performance.now();
  let taken = true;
  try {
    await read();
  } catch (error) {
    expectSentence(error);
    taken = false;
  }
  expect(performance.now() - startedAt).toBeLessThan(PATIENCE);
  count(kind, taken);
  return taken;
}

const encode = (text: string) => new TextEncoder().encode(text);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The ways to all places inside a JSON value, itself included. */
function placesIn(value: unknown, way: readonly string[] = []): string[][] {
  const inside = isObject(value) ? Object.entries(value) : [];
  return [[...way], ...inside.flatMap(([key, child]) => placesIn(child, [...way, key]))];
}

/** A copy of a JSON value with another one, or nothing, at one place. */
function replaced(value: unknown, way: readonly string[], other: unknown): unknown {
  const [key, ...rest] = way;
  if (key === undefined) return other;
  const copy: Record<string, unknown> = structuredClone(value) as Record<string, unknown>;
  if (rest.length === 0 && other === undefined) delete copy[key];
  else copy[key] = replaced(copy[key], rest, other);
  return copy;
}

/** Numbers at the ends of their ranges, texts that are keys of objects, layers, and any JSON. */
const anyValue = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<unknown>(0, -1, 1.5, 1e6, 1e6 + 1, 2 ** 31, 2 ** 53, 1e16, 1e308, 5e-324, -0, null, true, '', '1'),
  fc.constantFrom<unknown>('__proto__', 'constructor', [], {}, [[]], { type: 'ReLU' }, { type: 'Sequential' }),
  fc.constant(['Conv2d', 'Linear', 'BatchNorm2d', 'Dropout', 'MaxPool2d', 'Flatten'].map((type) => ({ type }))),
  fc.jsonValue(),
);

/** Copies of bytes with some of them changed, taken out, or doubled. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(bytes.length - 1);
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(...encode('0123456789-+.eE"[]{},:\\ ')));
  return fc.oneof(
    fc.array(fc.tuple(place, byte), { minLength: 1, maxLength: 4 }).map((changes) => {
      const copy = bytes.slice();
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    }),
    fc.tuple(place, place).map(([a, b]) => {
      const rest = bytes.subarray(Math.max(a, b));
      return Uint8Array.of(...bytes.subarray(0, Math.min(a, b)), ...rest);
    }),
    fc.tuple(place, fc.nat(50)).map(([at, more]) => {
      const doubled = bytes.subarray(at, at + more);
      return Uint8Array.of(...bytes.subarray(0, at), ...doubled, ...bytes.subarray(at));
    }),
  );
}

/** A network that was read describes itself as it was described, and its parameters have sizes. */
function checkNetwork(json: unknown): void {
  const layer = layerFromJSON(json);
  expect(layerFromJSON(layer.toJSON()).toJSON()).toEqual(layer.toJSON());
  for (const shape of stateShapes(layer).values()) {
    for (const size of shape) expect(Number.isSafeInteger(size) && size > 0).toBe(true);
  }
}

describe('config.json', () => {
  const run = new SavedRun(join(folder, 'config'));
  mkdirSync(run.path);
  const text = encode(JSON.stringify(QUICK_CONFIG));

  /** Reads a file with this content; what is read says the same when it is written and read again. */
  async function read(content: Uint8Array): Promise<void> {
    writeFileSync(join(run.path, 'config.json'), content);
    const config = await run.readConfig();
    const { training, data } = config;
    for (const number of [training.batchSize, training.microBatchSize, data.trainExamples]) {
      expect(Number.isSafeInteger(number) && number >= 1).toBe(true);
    }
    for (const number of [training.epochs, training.learningRate]) expect(Number.isFinite(number)).toBe(true);
    expect(runConfigSchema.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
    checkNetwork(training.net);
  }

  it('whole, it is taken', async () => {
    await read(text);
  });

  it('cut off anywhere, it is refused', async () => {
    for (let length = 0; length < text.length; length++) {
      expect(await isTaken('config.json', () => read(text.subarray(0, length))), `${length} bytes`).toBe(false);
    }
  });

  it('damaged', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(text), async (content) => {
        await isTaken('config.json', () => read(content));
      }),
      { numRuns: 2000 },
    );
  });

  it('with any value at any place', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...placesIn(QUICK_CONFIG)), anyValue, async (way, value) => {
        const json = JSON.stringify(replaced(QUICK_CONFIG, way, value)) ?? '';
        await isTaken('config.json', () => read(encode(json)));
      }),
      { numRuns: 3000 },
    );
  });

  it('of noise, of other JSON, and nested deeply', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(encode)), async (content) => {
        expect(await isTaken('config.json', () => read(content))).toBe(false);
      }),
      { numRuns: 500 },
    );
    for (const [open, close] of [['[', ']'] as const, ['{"net":', '}'] as const]) {
      for (const depth of [100, 10_000, 1_000_000]) {
        const nested = encode(open.repeat(depth) + 1 + close.repeat(depth));
        expect(await isTaken('config.json', () => read(nested))).toBe(false);
      }
    }
  });
});

describe('networks', () => {
  const json = PRESETS.quick.net().toJSON();

  it('with any value at any place', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...placesIn(json)), anyValue, async (way, value) => {
        await isTaken('networks', () => checkNetwork(replaced(json, way, value)));
      }),
      { numRuns: 3000 },
    );
  });

  it('of any JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(await isTaken('networks', () => checkNetwork(value))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('nested deeply, and with very many layers', async () => {
    for (const depth of [50, 1000, 10_000, 100_000]) {
      let nested: unknown = { type: 'ReLU' };
      for (let i = 0; i < depth; i++) nested = { type: 'Sequential', layers: [nested] };
      expect(await isTaken('networks', () => layerFromJSON(nested))).toBe(depth === 50);
    }
    const layers = Array.from({ length: 100_000 }, () => ({ type: 'ReLU' }));
    const isRead = await isTaken('networks', () => {
      expect([...walk(layerFromJSON({ type: 'Sequential', layers }))]).toHaveLength(1 + layers.length);
    });
    expect([true, false]).toContain(isRead);
    expect(layerFromJSON(sequential().toJSON()).type).toBe('Sequential');
  });
});

/** A file with the checksum that its content has, whatever that content is. */
function sealed(tensors: StateDict, checkpoint: string): Uint8Array {
  const unsealed = encodeSafetensors(tensors, { checkpoint, sha256: '0'.repeat(64) });
  const sha256 = createHash('sha256').update(unsealed).digest('hex');
  return encodeSafetensors(tensors, { checkpoint, sha256 });
}

describe('checkpoints', () => {
  const intact = encodeCheckpoint(SMALL_CHECKPOINT);
  const { checkpoint = '' } = decodeSafetensors(intact).metadata;

  it('cut off anywhere or damaged, they are refused', async () => {
    for (let length = 0; length < intact.length; length++) {
      expect(await isTaken('checkpoints', () => decodeCheckpoint(intact.subarray(0, length)))).toBe(false);
    }
    await fc.assert(
      fc.asyncProperty(damaged(intact), async (bytes) => {
        fc.pre(Buffer.compare(bytes, intact) !== 0);
        expect(await isTaken('checkpoints', () => decodeCheckpoint(bytes))).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  it('with a right checksum over any values', async () => {
    const extent: unknown = JSON.parse(checkpoint);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...placesIn(extent)), anyValue, async (way, value) => {
        const bytes = sealed(new Map(), JSON.stringify(replaced(extent, way, value)) ?? '');
        await isTaken('checkpoints', () => {
          const { snapshot, events, engine } = decodeCheckpoint(bytes);
          for (const number of [snapshot.progress.step, events.bytes, engine.threads]) {
            expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
          }
          expect(snapshot.progress.metric).toHaveLength(3);
        });
      }),
      { numRuns: 3000 },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        expect(await isTaken('checkpoints', () => decodeCheckpoint(sealed(new Map(), text)))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('records', () => {
  const run = new SavedRun(join(folder, 'record'));
  mkdirSync(join(run.path, 'checkpoints'), { recursive: true });
  const step = { type: 'step', epoch: 0.1, loss: 2.3, accuracy: 0.1, learningRate: 0.1, gradientNorm: 1 };
  const lines = Array.from({ length: 12 }, (_, i) => `${JSON.stringify({ ...step, step: i + 1 })}\n`);
  const record = encode(lines.join(''));
  const partOf = (count: number) => encode(lines.slice(0, count).join(''));
  const checkpointAfter = (count: number) => {
    const part = partOf(count);
    const sha256 = createHash('sha256').update(part).digest('hex');
    return encodeCheckpoint({ ...SMALL_CHECKPOINT, events: { bytes: part.length, sha256 } });
  };
  const [PREVIOUS_LINES, LAST_LINES] = [6, 9];
  writeFileSync(join(run.path, PREVIOUS), checkpointAfter(PREVIOUS_LINES));
  writeFileSync(join(run.path, LAST), checkpointAfter(LAST_LINES));

  /** What is taken of a record is the very part that a checkpoint stands for. */
  async function read(content: Uint8Array): Promise<void> {
    writeFileSync(join(run.path, 'events.jsonl'), content);
    const found = await run.readCheckpoint();
    const count = found?.skipped.length === 0 ? LAST_LINES : PREVIOUS_LINES;
    expect(Buffer.compare(found?.events ?? new Uint8Array(), partOf(count))).toBe(0);
    expect(parseEvents(found?.events ?? new Uint8Array())).toHaveLength(count);
  }

  it('cut off anywhere, they are used as far as they are whole', async () => {
    for (let length = 0; length < record.length; length++) {
      const taken = await isTaken('records', () => read(record.subarray(0, length)));
      expect(taken, `${length} bytes`).toBe(length >= partOf(PREVIOUS_LINES).length);
    }
  });

  it('damaged anywhere, they are used as far as they are whole', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(record), async (content) => {
        await isTaken('records', () => read(content));
      }),
      { numRuns: 1000 },
    );
  });

  it('gone, or of noise, they are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (noise) => {
        expect(await isTaken('records', () => read(noise))).toBe(false);
      }),
      { numRuns: 200 },
    );
    rmSync(join(run.path, 'events.jsonl'));
    expect(await isTaken('records', () => run.readCheckpoint())).toBe(false);
  });
});

describe('weights', () => {
  const intact = encodeSafetensors(SMALL_CHECKPOINT.snapshot.state, { format: 'pt' });

  function read(bytes: Uint8Array): void {
    for (const { shape, data } of decodeSafetensors(bytes).tensors.values()) expect(data).toHaveLength(sizeOf(shape));
  }

  /** A file of this header. */
  function fileOf(header: Uint8Array): Uint8Array {
    const file = new Uint8Array(8 + header.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(header, 8);
    return file;
  }

  it('damaged', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(intact), async (bytes) => {
        await isTaken('weights', () => read(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  it('with headers that claim or hold too much', async () => {
    const entry = (shape: string, end: string) => `{"a":{"dtype":"F32","shape":[${shape}],"data_offsets":[0,${end}]}}`;
    const headers = [
      entry('9007199254740991,9007199254740991', '0'),
      entry('9007199254740991', '36028797018963964'),
      entry('1000000000', '4000000000'),
      entry('1e308', '1e309'),
      entry('-1', '-4'),
      '['.repeat(1_000_000),
      '{"a":'.repeat(100_000),
      `{"__metadata__":"${'a'.repeat(5_000_000)}"}`,
    ];
    for (const header of headers) {
      expect(await isTaken('weights', () => read(fileOf(encode(header)))), header.slice(0, 80)).toBe(false);
    }
  });
});

describe('command lines', () => {
  const word = fc.oneof(
    fc.constantFrom('--lr', '--epochs', '--seed', '--resize', '--batch-size', '--max-steps', '--threads', '--out'),
    fc.constantFrom('--resume', '--train-examples', '--test-examples', '--checkpoint-minutes', '--json', '--nonsense'),
    fc.constantFrom('', ' ', '-', '--', '-1', '0', '1e999', 'NaN', '0x10', '1e', 'Infinity', '∞', '12abc', '7', '96'),
    fc.constantFrom('--lr=', '--lr=-1', '--preset=', '__proto__', 'constructor', '../..', '/dev/null/x', '--no-json'),
    fc.string({ maxLength: 12 }).filter((text) => !text.includes('\0')),
  );
  const commandLine = fc.oneof(
    fc.tuple(fc.constantFrom('train', 'evaluate'), fc.array(word, { maxLength: 6 })),
    fc.tuple(fc.constantFrom('summary', 'runs'), fc.array(word, { maxLength: 2 })),
    fc.tuple(word, fc.array(word, { maxLength: 3 })),
  );
  // What is right by chance must not train: its data is nowhere.
  const nowhere = ['--preset', 'quick', '--device', 'cpu', '--data-dir', join(folder, 'nowhere')];

  it('are answered with an exit code and a few words', { timeout: 120_000 }, async () => {
    const lines = fc
      .sample(commandLine, { numRuns: 1500, seed: 2026 })
      .map(([command, words]) => [command, ...(command === 'train' ? nowhere : []), ...words]);
    for (let i = 0; i < lines.length; i += 250) {
      const some = lines.slice(i, i + 250);
      const outcomes = await manyCommandLines(some);
      expect(outcomes).toHaveLength(some.length);
      for (const [k, { code, stdout, stderr }] of outcomes.entries()) {
        const said = `${JSON.stringify(some[k])} ended with ${code} and said: ${stderr}`;
        expect([0, 1, 2], said).toContain(code);
        expect(stderr, said).not.toMatch(/should not have happened|\n {4}at /);
        if (code === 0) expect(stdout + stderr, said).not.toBe('');
        if (code === 1) expect(stderr, said).toMatch(/^nin: [^\n]+\n$/);
        if (code === 2) expect(stderr, said).toMatch(/^(error|nin): |^Usage: nin/);
        count('command lines', code === 0);
      }
    }
  });
});
