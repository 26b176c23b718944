/** How a batch is cut into micro-batches. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { relu } from '../../src/nn/layers/pointwise.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import { nin } from '../../src/nn/models/nin.js';
import { chooseMicroBatchSize, needsWholeBatch } from '../../src/training/microBatch.js';

describe('chooseMicroBatchSize', () => {
  const plain = sequential(relu());

  it.each([
    [128, 224, 8],
    [96, 224, 8],
    [100, 224, 10],
    [9, 224, 9],
    [5, 224, 5],
    [1, 224, 1],
    [64, 96, 64],
    [128, 96, 64],
    [100, 96, 50],
    [33, 96, 33],
    [128, 28, 64],
    [4, 1024, 1],
  ])('of a batch of %s images of %s pixels is %s', (batch, pixels, size) => {
    expect(chooseMicroBatchSize(plain, batch, [pixels, pixels])).toBe(size);
  });

  it('is the batch with batch normalisation', () => {
    expect(needsWholeBatch(nin())).toBe(false);
    expect(needsWholeBatch(nin({ batchNorm: true }))).toBe(true);
    expect(chooseMicroBatchSize(nin({ batchNorm: true }), 128, [224, 224])).toBe(128);
  });

  it('never has more padding than any size from half of the most to the most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (batch) => {
        const size = chooseMicroBatchSize(plain, batch, [96, 96]);
        const most = Math.min(64, batch);
        const padding = (each: number) => Math.ceil(batch / each) * each - batch;
        expect(size).toBeLessThanOrEqual(most);
        for (let other = most; other >= most / 2; other--) expect(padding(size)).toBeLessThanOrEqual(padding(other));
      }),
    );
  });
});
