import { beforeAll, describe, expect, it } from 'vitest';
import type { DataIter } from '../../src/data/dataLoader.js';
import { type LoadDataFashionMnistOptions, loadDataFashionMnist } from '../../src/data/loadDataFashionMnist.js';

describe('loadDataFashionMnist', () => {
  let trainIter: DataIter;
  let testIter: DataIter;
  beforeAll(async () => {
    [trainIter, testIter] = await loadDataFashionMnist({ batchSize: 128, resize: 224, seed: 5 });
  });

  it("cuts the data into the book's 469 and 79 batches, still 28x28 bytes", () => {
    expect([trainIter.length, testIter.length]).toEqual([469, 79]);
    expect(trainIter.batch(0, 0).images.length).toBe(128 * 28 * 28);
    expect([trainIter.batch(0, 468).length, testIter.batch(0, 78).length]).toEqual([96, 16]);
    expect(trainIter.transform).toEqual({ resize: 224 });
    expect(testIter.transform).toEqual({ resize: 224 });
  });

  it('shuffles the training examples by the seed, and leaves the test examples in order', () => {
    expect([trainIter.shuffle, trainIter.seed, testIter.shuffle]).toEqual([true, 5, false]);
    expect([...testIter.batch(3, 0).labels]).toEqual([...testIter.dataset.labels.subarray(0, 128)]);
    expect([...trainIter.batch(0, 0).labels]).not.toEqual([...trainIter.dataset.labels.subarray(0, 128)]);
  });

  it('takes the first examples and the normalisation it is given', async () => {
    const options = { batchSize: 10, trainExamples: 25, testExamples: 0, mean: 0.286, std: 0.353 };
    const [train, test] = await loadDataFashionMnist(options);
    expect([train.exampleCount, train.length, test.exampleCount, test.length]).toEqual([25, 3, 0, 0]);
    expect(train.transform).toEqual({ mean: 0.286, std: 0.353 });
    expect([...train].flatMap(({ labels }) => [...labels]).sort()).toEqual(
      [...train.dataset.labels.subarray(0, 25)].sort(),
    );
  });

  it('refuses options before it reads anything', async () => {
    const load = (options: Partial<LoadDataFashionMnistOptions>) =>
      loadDataFashionMnist({ batchSize: 128, dataDir: '/nowhere', ...options });
    await expect(load({ batchSize: 0 })).rejects.toThrow('batchSize is 0; give a whole number of at least 1.');
    await expect(load({ resize: 1.5 })).rejects.toThrow('resize is 1.5; give a whole number of at least 1.');
    await expect(load({ seed: -3 })).rejects.toThrow('seed is -3;');
    await expect(load({ trainExamples: 0 })).rejects.toThrow(
      'trainExamples is 0; give a whole number from 1 to 60000.',
    );
    await expect(load({ testExamples: 10_001 })).rejects.toThrow(
      'testExamples is 10001; give a whole number from 0 to',
    );
    await expect(load({ std: 0 })).rejects.toThrow('std is 0;');
    await expect(load({})).rejects.toThrow('The folder /nowhere has neither');
  });
});
