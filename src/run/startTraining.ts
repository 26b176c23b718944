/** Starts a training thread and hands on its events, so that the main thread stays free to draw, serve and listen. */

import { Worker } from 'node:worker_threads';
import type { StateDict } from '../nn/stateDict.js';
import type { TrainingEvent } from '../training/events.js';
import type { Snapshot } from '../training/trainer.js';
import type { MainMessage, TrainingJob, WorkerMessage } from './job.js';

/** A run in progress: walk it to get its events, to the last. */
export interface TrainingRun extends AsyncIterable<TrainingEvent> {
  /** Asks it to end after the step that is under way. */
  stop(): void;
  /** The trained parameters and buffers; there once the `end` event is. */
  readonly state: StateDict;
}

/** Takes a snapshot that should be saved. The events that follow it wait until it is done. */
export type OnCheckpoint = (snapshot: Snapshot) => Promise<void>;

class ThreadedRun implements TrainingRun {
  readonly #worker: Worker;
  readonly #onCheckpoint: OnCheckpoint | undefined;
  /** In the order of the thread: a checkpoint stands for exactly the events before it. */
  readonly #messages: WorkerMessage[] = [];
  #state: StateDict | undefined;
  #failure: Error | undefined;
  #isOver = false;
  #wake: () => void = () => {};

  constructor(job: TrainingJob, onCheckpoint: OnCheckpoint | undefined) {
    this.#onCheckpoint = onCheckpoint;
    const thread = new URL('./trainingThread.js', import.meta.url);
    // Node's flags are the program's own: with --input-type the thread's file would not even load.
    this.#worker = new Worker(thread, { workerData: job, execArgv: [] });
    this.#worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'checkpoint' && !onCheckpoint) this.#post('saved');
      else this.#messages.push(message);
      this.#wake();
    });
    this.#worker.on('error', (error) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#wake();
    });
    this.#worker.on('exit', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  stop(): void {
    this.#post('stop');
  }

  #post(kind: MainMessage['kind']): void {
    this.#worker.postMessage({ kind } satisfies MainMessage);
  }

  get state(): StateDict {
    if (!this.#state) throw new Error('The trained weights are there only after the "end" event.');
    return this.#state;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingEvent, void> {
    try {
      for (;;) {
        for (let message = this.#messages.shift(); message; message = this.#messages.shift()) {
          if (message.kind === 'event') yield message.event;
          else if (message.kind === 'state') this.#state = message.state;
          else {
            await this.#onCheckpoint?.(message.snapshot);
            this.#post('saved');
          }
        }
        if (this.#failure) throw this.#failure;
        if (this.#isOver) return;
        await this.#woken();
      }
    } finally {
      await this.#end();
    }
  }

  /** Terminating the thread inside ONNX Runtime would abort the process: it is asked to end, and waited for. */
  async #end(): Promise<void> {
    this.stop();
    while (!this.#isOver) {
      // Nothing is saved any more, and the thread must not wait for that.
      this.#post('saved');
      await this.#woken();
    }
  }

  /** Waits for the thread to say something. */
  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/**
 * Starts training in a thread of its own.
 * @param onCheckpoint absent: snapshots are dropped
 */
export function startTraining(job: TrainingJob, onCheckpoint?: OnCheckpoint): TrainingRun {
  return new ThreadedRun(job, onCheckpoint);
}
