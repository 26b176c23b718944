/** How fast a network trains and evaluates on an engine, by the very code that trains and evaluates it. */

import type { DataIter } from '../data/dataLoader.js';
import type { Engine } from '../engine/engine.js';
import type { Layer } from '../nn/layer.js';
import { stateDict } from '../nn/stateDict.js';
import type { TrainingConfig } from './config.js';
import { Evaluator, imageInputOf } from './evaluate.js';
import { Stepper } from './stepper.js';

/**
 * Makes steps on the iterator's first batches, one more than asked for: the first, while memory is first taken, does
 * not count.
 * @param net initialised
 * @returns the seconds of each step, as they come
 */
export async function* timeTraining(
  engine: Engine,
  net: Layer,
  config: TrainingConfig,
  iter: DataIter,
  steps: number,
): AsyncGenerator<number, void> {
  const stepper = new Stepper(engine, net, config, imageInputOf(iter));
  try {
    for (let step = 0; step <= steps; step++) {
      const batch = iter.batch(0, step % iter.length);
      const startedAt = performance.now();
      await stepper.step(batch, step, config.learningRate);
      if (step > 0) yield (performance.now() - startedAt) / 1000;
    }
  } finally {
    await stepper.release();
  }
}

/**
 * Evaluates the iterator's examples as often as asked for, and once more before that.
 * @param net initialised
 * @returns the seconds of each time, as they come
 */
export async function* timeEvaluation(
  engine: Engine,
  net: Layer,
  iter: DataIter,
  times: number,
): AsyncGenerator<number, void> {
  const evaluator = new Evaluator(engine, net, imageInputOf(iter));
  try {
    for (let time = 0; time <= times; time++) {
      const startedAt = performance.now();
      await evaluator.evaluate(stateDict(net), iter);
      if (time > 0) yield (performance.now() - startedAt) / 1000;
    }
  } finally {
    await evaluator.release();
  }
}
