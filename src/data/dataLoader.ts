/**
 * The book's data iterator. Batches are found by (epoch, index) and nothing is remembered from one to the next, so a
 * run resumes anywhere. The order of an epoch is a function of the seed and the epoch's number.
 *
 * Batches stay the dataset's bytes: resizing and scaling run inside the network's graph, and 60,000 images at 224x224
 * are never held. The transform only travels along, to be built into that graph.
 */

import { Purpose, RandomStream } from '../random/philox.js';
import { checkWhole, show } from './checks.js';
import { DataError } from './dataError.js';
import type { Batch, Dataset, ImageTransform } from './types.js';

export interface DataIterOptions {
  /** Examples in a batch; the last batch of an epoch has what is left. */
  readonly batchSize: number;
  /** Whether each epoch has an order of its own; otherwise the dataset's. Default false. */
  readonly shuffle?: boolean;
  /** Names the orders: a whole number from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** How the bytes become the network's input. Default: only divided by 255. */
  readonly transform?: ImageTransform;
  /** Use the first `limit` examples of the dataset. Default: all. */
  readonly limit?: number;
}

const LAST_EPOCH = 2 ** 32 - 1;

/**
 * Checks options before any data is there.
 * @throws DataError naming the first option that makes no sense
 */
export function checkDataIterOptions(options: DataIterOptions): void {
  const { batchSize, seed = 0, limit = 0, transform = {} } = options;
  const { resize, mean = 0, std = 1 } = transform;
  checkWhole('batchSize', batchSize, 1);
  checkWhole('seed', seed, 0);
  checkWhole('limit', limit, 0);
  if (resize !== undefined) checkWhole('resize', resize, 1);
  if (!Number.isFinite(mean)) throw new DataError(`mean is ${show(mean)}; give a finite number.`);
  if (!Number.isFinite(std) || std <= 0) throw new DataError(`std is ${show(std)}; give a finite number above 0.`);
}

/** Refuses a dataset whose parts do not fit together: it would be trained on wrong examples without a word. */
function checkDataset({ name, images, labels, length, height, width, classNames }: Dataset): void {
  if (images.length !== length * height * width) {
    throw new DataError(
      `The dataset ${name} has ${images.length} bytes of images, expected ${length} x ${height} x ${width} = ` +
        `${length * height * width}; make its length, height and width fit its images.`,
    );
  }
  if (labels.length !== length) {
    throw new DataError(`The dataset ${name} has ${labels.length} labels for ${length} images; give one for each.`);
  }
  const wrong = labels.findIndex((label) => label >= classNames.length);
  if (wrong !== -1) {
    throw new DataError(
      `The dataset ${name} labels example ${wrong} with class ${labels[wrong]}, but names only ${classNames.length} ` +
        'classes; correct the label or name all classes.',
    );
  }
}

/**
 * Iterates over a dataset in batches. It is its own description: sent to a worker thread its fields arrive (a dataset
 * in shared memory uncopied), and `new DataIter(arrived.dataset, arrived)` is the same iterator again.
 */
export class DataIter implements Iterable<Batch> {
  readonly dataset: Dataset;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly transform: ImageTransform;
  /** Examples in an epoch: the first `limit` of the dataset. */
  readonly limit: number;
  #nextEpoch = 0;
  /** The latest order only: epochs follow one another. */
  #latest: { readonly epoch: number; readonly order: Uint32Array } | undefined;

  /** @throws DataError where an option or the dataset makes no sense */
  constructor(dataset: Dataset, options: DataIterOptions) {
    checkDataIterOptions(options);
    checkDataset(dataset);
    this.dataset = dataset;
    this.batchSize = options.batchSize;
    this.shuffle = options.shuffle ?? false;
    this.seed = options.seed ?? 0;
    this.transform = { ...options.transform };
    this.limit = options.limit ?? dataset.length;
    if (this.limit > dataset.length) {
      throw new DataError(
        `${this.limit} examples were asked for, but the dataset ${dataset.name} has ${dataset.length}; ` +
          `give a limit from 0 to ${dataset.length}.`,
      );
    }
  }

  /** Examples in an epoch. */
  get exampleCount(): number {
    return this.limit;
  }

  /** Batches in an epoch, counting an incomplete last one. */
  get length(): number {
    return Math.ceil(this.limit / this.batchSize);
  }

  /**
   * One batch; its memory belongs to the caller.
   * @param epoch from 0
   * @param index from 0, below `length`
   * @throws DataError where there is no such epoch or batch
   */
  batch(epoch: number, index: number): Batch {
    const order = this.#orderOf(epoch);
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.length) {
      throw new DataError(
        `Batch ${show(index)} was asked for, but an epoch has ${this.length} batches, counted from 0.`,
      );
    }
    return this.#gather(order, index);
  }

  /**
   * The batches of one epoch in order.
   * @param epoch from 0
   * @throws DataError where there is no such epoch
   */
  *batches(epoch: number): Generator<Batch, void, undefined> {
    // Held here, the order survives other epochs being read meanwhile.
    const order = this.#orderOf(epoch);
    for (let index = 0; index < this.length; index++) yield this.#gather(order, index);
  }

  /** As in the book, `for (const { images, labels } of iter)` reads one epoch, and reads the next one next time. */
  [Symbol.iterator](): Generator<Batch, void, undefined> {
    return this.batches(this.#nextEpoch++);
  }

  /** The examples of an epoch in their order; `undefined`: the dataset's own. */
  #orderOf(epoch: number): Uint32Array | undefined {
    checkWhole('epoch', epoch, 0, LAST_EPOCH);
    if (!this.shuffle) return undefined;
    if (this.#latest?.epoch !== epoch) {
      const order = new RandomStream(this.seed, Purpose.shuffle, epoch).permutation(this.limit);
      this.#latest = { epoch, order };
    }
    return this.#latest.order;
  }

  #gather(order: Uint32Array | undefined, index: number): Batch {
    const { images, labels, height, width } = this.dataset;
    const first = index * this.batchSize;
    const length = Math.min(this.batchSize, this.limit - first);
    const imageBytes = height * width;
    const batch = { images: new Uint8Array(length * imageBytes), labels: new Uint8Array(length), length };
    for (let i = 0; i < length; i++) {
      const example = order === undefined ? first + i : (order[first + i] as number);
      batch.images.set(images.subarray(example * imageBytes, (example + 1) * imageBytes), i * imageBytes);
      batch.labels[i] = labels[example] as number;
    }
    return batch;
  }
}
