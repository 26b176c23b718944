/**
 * A disk that is slower than training: snapshots, which are large, do not pile up before it; and still each stands for
 * exactly the events before it.
 */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import type * as StartTraining from '../../src/run/startTraining.js';
import { ROOT } from '../cli/nin.js';
import { configOf, smallNet, stripesIter } from '../training/syntheticRun.js';

// Not from src: the thread is a file of dist.
const { startTraining } = (await import(
  pathToFileURL(join(ROOT, 'dist', 'run', 'startTraining.js')).href
)) as typeof StartTraining;

const EPOCHS = 3;

/** A run of three epochs; `save` takes the time of the disk. */
function start(stepsPerEpoch: number, checkpointMinutes: number, save?: StartTraining.OnCheckpoint) {
  const config = configOf(smallNet(), { epochs: EPOCHS });
  const train = stripesIter(config.batchSize * stepsPerEpoch);
  return startTraining({ config, engine: { threads: 1 }, train, test: undefined, checkpointMinutes }, save);
}

/** Trains to the end. Returns what was saved, in its order: the step, and whether that was the end of an epoch. */
async function train(stepsPerEpoch: number, checkpointMinutes: number, milliseconds: (checkpoint: number) => number) {
  const saved: { step: number; isEpoch: boolean }[] = [];
  let told = { step: 0, isEpoch: false };
  const run = start(stepsPerEpoch, checkpointMinutes, async ({ progress: { step, isEvaluated } }) => {
    expect({ step, isEpoch: isEvaluated }).toEqual(told);
    await new Promise((resolve) => setTimeout(resolve, milliseconds(saved.length)));
    saved.push({ step, isEpoch: isEvaluated });
  });
  for await (const event of run) {
    if (event.type === 'step') told = { step: event.step, isEpoch: false };
    if (event.type === 'epoch') told = { ...told, isEpoch: true };
  }
  return saved;
}

it('while a checkpoint is saved no other is sent that only the clock asks for; the ends of epochs are all saved', async () => {
  // Due after every step; the first takes as long as many steps.
  const saved = await train(200, 1e-9, (checkpoint) => (checkpoint === 0 ? 2000 : 0));
  expect(saved[0]).toEqual({ step: 1, isEpoch: false });
  expect(saved[1]?.step).toBeGreaterThan(6);
  expect(saved.filter(({ isEpoch }) => isEpoch).map(({ step }) => step)).toEqual([200, 400, 600]);
});

it('with 0 minutes training waits for the disk: every step is saved', async () => {
  const saved = await train(3, 0, () => 50);
  expect(saved.map(({ step }) => step)).toEqual([1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9]);
});

it('a run that nobody listens to any more, or whose disk fails, ends', async () => {
  for await (const event of start(200, 0, async () => {})) if (event.type === 'step' && event.step === 2) break;
  const failing = start(200, 0, () => Promise.reject(new Error('broken')));
  await expect(
    (async () => {
      for await (const _ of failing);
    })(),
  ).rejects.toThrow('broken');
});

it('a run whose checkpoints nobody wants is not held up', async () => {
  let steps = 0;
  for await (const event of start(3, 0)) if (event.type === 'step') steps++;
  expect(steps).toBe(3 * EPOCHS);
});
