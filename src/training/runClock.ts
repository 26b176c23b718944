/**
 * The clock of a run: rates and times for people. Nothing that is computed depends on it. A run that goes on keeps the
 * time of the processes before.
 */

import { Timer } from './timer.js';

/** Shortest time between two progress events. */
const PROGRESS_MILLISECONDS = 100;

/** What a run has spent so far. */
export interface Spent {
  readonly examplesTrained: number;
  /** Seconds of forward, backward and update, as the book times them. */
  readonly trainingSeconds: number;
  readonly seconds: number;
}

export class RunClock {
  readonly #earlier: Spent;
  readonly #startedAt = performance.now();
  readonly #steps = new Timer();
  #examples = 0;
  #lastProgressAt = 0;
  /** Seconds of the latest evaluation; 0 before the first. */
  evaluationSeconds = 0;

  constructor(earlier: Spent = { examplesTrained: 0, trainingSeconds: 0, seconds: 0 }) {
    this.#earlier = earlier;
  }

  startStep(): void {
    this.#steps.start();
  }

  endStep(examples: number): void {
    this.#steps.stop();
    this.#examples += examples;
  }

  spent(): Spent {
    const { examplesTrained, trainingSeconds, seconds } = this.#earlier;
    return {
      examplesTrained: examplesTrained + this.#examples,
      trainingSeconds: trainingSeconds + this.#steps.sum(),
      seconds: seconds + (performance.now() - this.#startedAt) / 1000,
    };
  }

  /** Of training, as in the book: forward, backward and update only. Null before the first step. */
  examplesPerSecond(): number | null {
    const { examplesTrained, trainingSeconds } = this.spent();
    return examplesTrained === 0 ? null : examplesTrained / trainingSeconds;
  }

  /** Whether progress should be told now; if so, the next is due a while later. */
  isProgressDue(): boolean {
    const now = performance.now();
    if (now - this.#lastProgressAt < PROGRESS_MILLISECONDS) return false;
    this.#lastProgressAt = now;
    return true;
  }
}
