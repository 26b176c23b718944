/** Measures several stretches of time: the book's `Timer`. All times are in seconds. */

export class Timer {
  /** The stretches measured so far. */
  readonly times: number[] = [];
  #startedAt = 0;

  /** A timer that runs from now on. */
  constructor() {
    this.start();
  }

  start(): void {
    this.#startedAt = performance.now();
  }

  /** Ends a stretch and returns its length. */
  stop(): number {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.times.push(seconds);
    return seconds;
  }

  /** Mean length of the stretches; NaN before the first. */
  avg(): number {
    return this.sum() / this.times.length;
  }

  sum(): number {
    return this.times.reduce((total, seconds) => total + seconds, 0);
  }

  /** Running totals. */
  cumsum(): number[] {
    let total = 0;
    return this.times.map((seconds) => {
      total += seconds;
      return total;
    });
  }
}
