/** The book's `load_data_fashion_mnist`: Fashion-MNIST as two iterators over batches, ready to train on. */

import { checkWhole } from './checks.js';
import { checkDataIterOptions, DataIter, type DataIterOptions } from './dataLoader.js';
import { type FashionMnistOptions, loadFashionMnist } from './fashionMnist.js';
import type { ImageTransform } from './types.js';

/** Where the data is, as for `loadFashionMnist`; how it becomes the network's input; and how it is cut into batches. */
export interface LoadDataFashionMnistOptions extends FashionMnistOptions, ImageTransform {
  /** Examples in a batch; the book's NiN has 128. */
  readonly batchSize: number;
  /** Names the shuffled orders: a whole number from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Train on the first so many examples, 1 to 60,000. Default: all. */
  readonly trainExamples?: number;
  /** Test on the first so many examples, 0 to 10,000. Default: all. */
  readonly testExamples?: number;
}

function transformOf({ resize, mean, std }: ImageTransform): ImageTransform {
  return {
    ...(resize === undefined ? {} : { resize }),
    ...(mean === undefined ? {} : { mean }),
    ...(std === undefined ? {} : { std }),
  };
}

/**
 * Loads Fashion-MNIST as `[trainIter, testIter]`: the training examples in a new order every epoch, the test examples
 * in the dataset's. Options are checked before anything is read.
 * @throws DataError where an option makes no sense, or a file is missing, damaged or cannot be downloaded
 * @example
 * const [trainIter, testIter] = await loadDataFashionMnist({ batchSize: 128, resize: 224 });
 */
export async function loadDataFashionMnist(
  options: LoadDataFashionMnistOptions,
): Promise<[trainIter: DataIter, testIter: DataIter]> {
  const { batchSize, seed = 0, trainExamples = 60_000, testExamples = 10_000 } = options;
  checkWhole('trainExamples', trainExamples, 1, 60_000);
  checkWhole('testExamples', testExamples, 0, 10_000);
  const shared: DataIterOptions = { batchSize, seed, transform: transformOf(options) };
  checkDataIterOptions(shared);
  const { train, test } = await loadFashionMnist(options);
  return [
    new DataIter(train, { ...shared, shuffle: true, limit: trainExamples }),
    new DataIter(test, { ...shared, limit: testExamples }),
  ];
}
