import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/dataError.js';
import { DataIter, type DataIterOptions } from '../../src/data/dataLoader.js';
import type { Batch, Dataset } from '../../src/data/types.js';
import { Purpose, RandomStream } from '../../src/random/philox.js';

/** Examples that carry their own number: image i is `[i, i >> 8, i + 1]`, its label `i % 10`. */
function numbered(length: number): Dataset {
  const images = new Uint8Array(new SharedArrayBuffer(3 * length));
  for (let i = 0; i < length; i++) images.set([i & 255, i >> 8, (i + 1) & 255], 3 * i);
  return {
    name: 'numbered',
    images,
    labels: Uint8Array.from({ length }, (_, i) => i % 10),
    length,
    height: 1,
    width: 3,
    classNames: Array.from({ length: 10 }, (_, c) => `class ${c}`),
    checksum: 'none',
  };
}

/** The numbers of a batch's examples, once all it holds is found to be theirs. */
function numbersIn({ images, labels, length }: Batch): number[] {
  expect(images.length).toBe(3 * length);
  expect(labels.length).toBe(length);
  return Array.from({ length }, (_, row) => {
    const number = (images[3 * row] as number) + 256 * (images[3 * row + 1] as number);
    expect(images[3 * row + 2]).toBe((number + 1) & 255);
    expect(labels[row]).toBe(number % 10);
    return number;
  });
}

const epochOf = (iter: DataIter, epoch: number) => [...iter.batches(epoch)].flatMap(numbersIn);
const upTo = (length: number) => Array.from({ length }, (_, i) => i);

const anyIter = fc
  .record({
    n: fc.integer({ min: 0, max: 400 }),
    batchSize: fc.integer({ min: 1, max: 450 }),
    shuffle: fc.boolean(),
    seed: fc.maxSafeNat(),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ n, share, ...options }) => {
    const limit = Math.round(n * share);
    return { limit, options, iter: new DataIter(numbered(n), { ...options, limit }) };
  });

describe('DataIter', () => {
  it('shows every example exactly once an epoch, whatever the sizes', () => {
    fc.assert(
      fc.property(anyIter, fc.nat({ max: 1000 }), ({ iter, limit }, epoch) => {
        expect(epochOf(iter, epoch).sort((a, b) => a - b)).toEqual(upTo(limit));
        expect(iter.exampleCount).toBe(limit);
      }),
    );
  });

  it('fills all batches but the last, which has the rest', () => {
    fc.assert(
      fc.property(anyIter, ({ iter, limit, options: { batchSize } }) => {
        const lengths = [...iter.batches(0)].map((batch) => batch.length);
        expect(lengths.length).toBe(iter.length);
        const full = Math.floor(limit / batchSize);
        const rest = limit % batchSize;
        expect(lengths).toEqual([...Array(full).fill(batchSize), ...(rest > 0 ? [rest] : [])]);
      }),
    );
  });

  it('finds any batch by epoch and index alone', () => {
    fc.assert(
      fc.property(anyIter, fc.array(fc.tuple(fc.nat({ max: 4 }), fc.nat()), { maxLength: 6 }), ({ iter }, asked) => {
        fc.pre(iter.length > 0);
        const fresh = new DataIter(iter.dataset, iter);
        for (const [epoch, any] of asked) {
          const index = any % iter.length;
          expect(iter.batch(epoch, index)).toEqual([...fresh.batches(epoch)][index]);
        }
      }),
    );
  });

  it('shuffles as the seed and the epoch say, and differently in each epoch and for each seed', () => {
    const iter = new DataIter(numbered(300), { batchSize: 32, shuffle: true, seed: 7 });
    const orders = upTo(20).map((epoch) => epochOf(iter, epoch));
    expect(orders[3]).toEqual([...new RandomStream(7, Purpose.shuffle, 3).permutation(300)]);
    const again = new DataIter(numbered(300), { batchSize: 50, shuffle: true, seed: 7 });
    expect(upTo(20).map((epoch) => epochOf(again, epoch))).toEqual(orders);
    const otherSeed = new DataIter(numbered(300), { batchSize: 32, shuffle: true, seed: 8 });
    orders.push(epochOf(otherSeed, 0), upTo(300));
    expect(new Set(orders.map(String)).size).toBe(22);
  });

  it("keeps the dataset's order without shuffling, and takes only the first examples", () => {
    const iter = new DataIter(numbered(300), { batchSize: 32, limit: 70 });
    expect(epochOf(iter, 0)).toEqual(upTo(70));
    expect(epochOf(iter, 9)).toEqual(upTo(70));
  });

  it('shuffles only within the limit', () => {
    const iter = new DataIter(numbered(300), { batchSize: 32, limit: 70, shuffle: true });
    expect(epochOf(iter, 0).sort((a, b) => a - b)).toEqual(upTo(70));
  });

  it('reads one epoch after another when iterated over as in the book', () => {
    const iter = new DataIter(numbered(100), { batchSize: 16, shuffle: true, seed: 1 });
    const seen = upTo(3).map(() => {
      const order: number[] = [];
      for (const batch of iter) order.push(...numbersIn(batch));
      return order;
    });
    expect(seen).toEqual(upTo(3).map((epoch) => epochOf(iter, epoch)));
    expect(seen[0]).not.toEqual(seen[1]);
  });

  it('reads two epochs at the same time', () => {
    const iter = new DataIter(numbered(100), { batchSize: 16, shuffle: true, seed: 1 });
    const [a, b] = [iter.batches(0), iter.batches(1)];
    const seen: [number[], number[]] = [[], []];
    for (let i = 0; i < iter.length; i++) {
      seen[0].push(...numbersIn(a.next().value as Batch));
      seen[1].push(...numbersIn(b.next().value as Batch));
    }
    expect(seen).toEqual([epochOf(iter, 0), epochOf(iter, 1)]);
  });

  it('gives batches whose memory is not the dataset', () => {
    const iter = new DataIter(numbered(10), { batchSize: 4 });
    const batch = iter.batch(0, 0);
    expect(batch.images.buffer).not.toBeInstanceOf(SharedArrayBuffer);
    batch.images.fill(99);
    batch.labels.fill(9);
    expect(numbersIn(iter.batch(0, 0))).toEqual([0, 1, 2, 3]);
  });

  it('arrives in a worker thread as its own description, with the pixels shared', () => {
    const transform = { resize: 96, mean: 0.5, std: 0.25 };
    const iter = new DataIter(numbered(50), { batchSize: 8, shuffle: true, seed: 3, transform, limit: 40 });
    const arrived = structuredClone(iter);
    expect(Object.keys(arrived).sort()).toEqual(['batchSize', 'dataset', 'limit', 'seed', 'shuffle', 'transform']);
    const again = new DataIter(arrived.dataset, arrived);
    expect([...again.batches(5)]).toEqual([...iter.batches(5)]);
    expect(again.transform).toEqual(transform);
    // A change made here is seen there: nothing was copied.
    iter.dataset.images[1] = 200;
    expect(again.dataset.images[1]).toBe(200);
  });

  it('refuses options that make no sense, naming them', () => {
    const make = (options: Partial<DataIterOptions>) => () => new DataIter(numbered(10), { batchSize: 4, ...options });
    expect(make({ batchSize: 0 })).toThrow('batchSize is 0; give a whole number of at least 1.');
    expect(make({ batchSize: 2.5 })).toThrow('batchSize is 2.5;');
    expect(make({ batchSize: Number.NaN })).toThrow('batchSize is NaN;');
    expect(make(JSON.parse('{"batchSize":"8"}'))).toThrow('batchSize is "8";');
    expect(make({ seed: -1 })).toThrow('seed is -1; give a whole number of at least 0.');
    expect(make({ seed: 2 ** 53 })).toThrow('seed is 9007199254740992;');
    expect(make({ limit: -1 })).toThrow('limit is -1; give a whole number of at least 0.');
    expect(make({ limit: 11 })).toThrow(
      '11 examples were asked for, but the dataset numbered has 10; give a limit from 0 to 10.',
    );
    expect(make({ transform: { resize: 0 } })).toThrow('resize is 0;');
    expect(make({ transform: { mean: Number.POSITIVE_INFINITY } })).toThrow('mean is Infinity; give a finite number.');
    expect(make({ transform: { std: 0 } })).toThrow('std is 0; give a finite number above 0.');
    expect(make({ transform: { std: Number.NaN } })).toThrow(DataError);
  });

  it('refuses epochs and batches that do not exist', () => {
    const iter = new DataIter(numbered(10), { batchSize: 4, shuffle: true });
    expect(() => iter.batch(0, 3)).toThrow('Batch 3 was asked for, but an epoch has 3 batches, counted from 0.');
    expect(() => iter.batch(0, -1)).toThrow('Batch -1 was asked for');
    expect(() => iter.batch(0, 0.5)).toThrow('Batch 0.5 was asked for');
    expect(() => iter.batch(-1, 0)).toThrow('epoch is -1; give a whole number from 0 to 4294967295.');
    // RandomStream keeps 32 bits of an epoch: this one would silently be epoch 0.
    expect(() => [...iter.batches(2 ** 32)]).toThrow('epoch is 4294967296;');
  });

  it('refuses a dataset whose parts do not fit together', () => {
    const make = (wrong: Partial<Dataset>) => () => new DataIter({ ...numbered(10), ...wrong }, { batchSize: 4 });
    expect(make({ images: new Uint8Array(29) })).toThrow(
      'The dataset numbered has 29 bytes of images, expected 10 x 1 x 3 = 30;',
    );
    expect(make({ labels: new Uint8Array(9) })).toThrow('The dataset numbered has 9 labels for 10 images;');
    expect(make({ labels: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 10, 0, 0) })).toThrow(
      'The dataset numbered labels example 7 with class 10, but names only 10 classes;',
    );
  });
});
