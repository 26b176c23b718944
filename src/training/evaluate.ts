/** Evaluates a network on a data iterator: which examples it gets right, in all and of each class. */

import type { DataIter } from '../data/dataLoader.js';
import type { Engine } from '../engine/engine.js';
import type { Tensor, TensorData } from '../graph/tensor.js';
import type { Layer } from '../nn/layer.js';
import { parameterNames, type StateDict } from '../nn/stateDict.js';
import { prediction } from './accuracy.js';
import { imagesAtOnce } from './microBatch.js';
import { evaluationGraph, type ImageInput, networkImageSize } from './networkGraph.js';

export interface Evaluation {
  /** Share of the examples classified correctly. */
  readonly accuracy: number;
  /** The same for each class; null for a class without examples. */
  readonly perClassAccuracy: readonly (number | null)[];
  readonly correct: number;
  readonly total: number;
}

/** Sizes and transform of a data iterator's images. */
export function imageInputOf({ dataset, transform }: DataIter): ImageInput {
  return { height: dataset.height, width: dataset.width, transform };
}

export class Evaluator {
  readonly #parameterNames: ReadonlySet<string>;
  #executable: ReturnType<Engine['compile']> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly net: Layer,
    private readonly input: ImageInput,
  ) {
    this.#parameterNames = new Set(parameterNames(net));
  }

  /**
   * @param state the network's parameters and buffers
   * @param iter walked once, in its order
   * @param onProgress told the number of examples done; evaluation stops where it returns false
   * @returns undefined where it was stopped
   */
  async evaluate(
    state: StateDict,
    iter: DataIter,
    onProgress?: (examplesDone: number) => boolean,
  ): Promise<Evaluation | undefined> {
    const size = imagesAtOnce(networkImageSize(this.input));
    this.#executable ??= this.engine.compile(evaluationGraph(this.net, size, this.input));
    const executable = await this.#executable;
    const inputs = new Map<string, TensorData>();
    for (const [name, { data }] of state) {
      inputs.set(`${this.#parameterNames.has(name) ? 'parameter' : 'buffer'}.${name}`, data);
    }
    const classes = iter.dataset.classNames.length;
    const correct = new Array<number>(classes).fill(0);
    const total = new Array<number>(classes).fill(0);
    const pixels = this.input.height * this.input.width;
    let done = 0;
    for (const { images, labels, length } of iter.batches(0)) {
      for (let begin = 0; begin < length; begin += size) {
        const end = Math.min(begin + size, length);
        const padded = new Uint8Array(size * pixels);
        padded.set(images.subarray(begin * pixels, end * pixels));
        inputs.set('images', padded);
        const logits = (await executable.run(inputs)).get('logits') as Tensor;
        for (let i = begin; i < end; i++) {
          const label = labels[i] as number;
          total[label] = (total[label] ?? 0) + 1;
          if (prediction(logits, i - begin) === label) correct[label] = (correct[label] ?? 0) + 1;
        }
        done += end - begin;
        if (onProgress?.(done) === false) return undefined;
      }
    }
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    return {
      accuracy: sum(correct) / sum(total),
      perClassAccuracy: correct.map((count, k) => (total[k] ? count / total[k] : null)),
      correct: sum(correct),
      total: sum(total),
    };
  }

  /** Gives back the engine's memory. */
  async release(): Promise<void> {
    await (await this.#executable)?.release();
  }
}
