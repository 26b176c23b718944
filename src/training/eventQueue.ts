/** Joins two streams of a run: what a callback reports while something is awaited, and what comes after. */

import type { ProgressEvent } from './events.js';

/** Events that come up while something runs, handed on as they come. */
export class EventQueue {
  readonly #events: ProgressEvent[] = [];
  #wake: () => void = () => {};

  push(event: ProgressEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  /** Yields events until `running` has ended, however it ended. */
  async *until(running: Promise<unknown>): AsyncGenerator<ProgressEvent, void> {
    let isRunning = true;
    const ended = () => {
      isRunning = false;
      this.#wake();
    };
    running.then(ended, ended);
    for (;;) {
      while (this.#events.length > 0) yield this.#events.shift() as ProgressEvent;
      if (!isRunning) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
