/** What travels between the main thread and the training thread: plain data that can be cloned. */

import type { DataIter, DataIterOptions } from '../data/dataLoader.js';

import type { NodeEngineOptions } from '../engine/onnx/nodeEngine.js';
import type { StateDict } from '../nn/stateDict.js';
import type { TrainingConfig } from '../training/config.js';
import type { TrainingEvent } from '../training/events.js';
import type { Snapshot } from '../training/trainer.js';

/** A data iterator as it arrives in another thread: its fields. The images lie in shared memory and are not copied. */
export type DataIterFields = Pick<DataIter, 'dataset'> & DataIterOptions;

export interface TrainingJob {
  readonly config: TrainingConfig;
  readonly engine: NodeEngineOptions;
  readonly train: DataIterFields;
  readonly test: DataIterFields | undefined;
  /** Starting weights; absent: the configuration's initialisation makes them. */
  readonly state?: StateDict | undefined;
  /** Where to go on; absent: at the beginning. */
  readonly from?: Snapshot | undefined;
  /** Longest time between two snapshots, in minutes, besides those at the ends of epochs. Default 5. */
  readonly checkpointMinutes?: number | undefined;
}

/** From the training thread. */
export type WorkerMessage =
  | { readonly kind: 'event'; readonly event: TrainingEvent }
  | { readonly kind: 'checkpoint'; readonly snapshot: Snapshot }
  | { readonly kind: 'state'; readonly state: StateDict };

/** To the training thread. `saved`: the latest checkpoint is dealt with, the next may come. */
export type MainMessage = { readonly kind: 'stop' | 'saved' };
