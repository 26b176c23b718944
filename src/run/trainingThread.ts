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
  let savedAt = performance.now();
  const save = () => {
    send({ kind: 'checkpoint', snapshot: trainer.snapshot() });
    savedAt = performance.now();
  };
  const trainer = new Trainer({
    engine: createNodeEngine(engine),
    net,
    config,
    trainIter: dataIter(train),
    testIter: test && dataIter(test),
    from,
    onSafePoint: (place) => {
      if (place === 'epoch' || performance.now() - savedAt >= checkpointMinutes * 60_000) save();
    },
  });
  parentPort?.on('message', (message: MainMessage) => {
    if (message.kind === 'stop') trainer.stop();
  });
  for await (const event of trainer.train()) {
    if (event.type === 'end') {
      if (event.result.state === 'interrupted') save();
      // The weights come before the end, so that who hears of the end has them.
      send({ kind: 'state', state: trainer.state });
    }
    send({ kind: 'event', event });
  }
  parentPort?.close();
}

await work(workerData as TrainingJob);
