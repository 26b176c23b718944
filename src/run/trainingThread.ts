/** The training thread: an engine's runs block the thread they are called on, so training has one of its own. */

import { parentPort, workerData } from 'node:worker_threads';
import { DataIter } from '../data/dataLoader.js';
import { createNodeEngine } from '../engine/onnx/nodeEngine.js';
import { layerFromJSON } from '../nn/fromJSON.js';
import { initialise } from '../nn/initialise.js';
import { loadStateDict } from '../nn/stateDict.js';
import { Trainer } from '../training/trainer.js';
import type { DataIterFields, MainMessage, TrainingJob, WorkerMessage } from './job.js';

const dataIter = (fields: DataIterFields) => new DataIter(fields.dataset, fields);

const DEFAULT_CHECKPOINT_MINUTES = 5;

async function work(job: TrainingJob): Promise<void> {
  const { config, engine, train, test, state, from, checkpointMinutes = DEFAULT_CHECKPOINT_MINUTES } = job;
  const send = (message: WorkerMessage) => parentPort?.postMessage(message);
  const net = layerFromJSON(config.net);
  if (state) loadStateDict(net, state);
  else initialise(net, config.initialisation ?? 'pytorch', config.seed);
  let takenAt = performance.now();
  let isSaving = false;
  let onSaved = () => {};
  /** Snapshots are large and the disk may be slow: the main thread has one of them at most. */
  const save = async () => {
    const snapshot = trainer.snapshot();
    takenAt = performance.now();
    if (isSaving) {
      await new Promise<void>((resolve) => {
        onSaved = resolve;
      });
    }
    isSaving = true;
    send({ kind: 'checkpoint', snapshot });
  };
  // Training should not wait for the disk just because some minutes are over; with none, every step is to be saved.
  const isDue = () =>
    checkpointMinutes === 0 || (!isSaving && performance.now() - takenAt >= checkpointMinutes * 60_000);
  let sending = Promise.resolve();
  const trainer = new Trainer({
    engine: createNodeEngine(engine),
    net,
    config,
    trainIter: dataIter(train),
    testIter: test && dataIter(test),
    from,
    onSafePoint: (place) => {
      if (place === 'epoch' || isDue()) sending = save();
    },
  });
  parentPort?.on('message', (message: MainMessage) => {
    if (message.kind === 'stop') return trainer.stop();
    isSaving = false;
    onSaved();
  });
  for await (const event of trainer.train()) {
    // An event must not overtake a snapshot that waits: that stands for exactly the events before it.
    await sending;
    if (event.type === 'end') {
      if (event.result.state === 'interrupted') await save();
      // The weights come before the end, so that who hears of the end has them.
      send({ kind: 'state', state: trainer.state });
    }
    send({ kind: 'event', event });
  }
  parentPort?.close();
}

await work(workerData as TrainingJob);
