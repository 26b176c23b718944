/** Sums over several quantities at once: the book's `Accumulator`. */

export class Accumulator {
  #sums: number[];

  /** @param n number of quantities */
  constructor(n: number) {
    this.#sums = new Array<number>(n).fill(0);
  }

  /** Adds one value to each sum. */
  add(...values: readonly number[]): void {
    this.#sums = this.#sums.map((sum, i) => sum + (values[i] ?? 0));
  }

  reset(): void {
    this.#sums.fill(0);
  }

  /** Sum of quantity i; the book's `metric[i]`. */
  get(i: number): number {
    return this.#sums[i] ?? Number.NaN;
  }

  /** All sums, for saving. */
  toJSON(): number[] {
    return [...this.#sums];
  }
}
