/**
 * The book's `Animator`: curves that grow while a network trains.
 *
 *     const animator = new Animator({ xlabel: 'epoch', xlim: [1, 10], legend: ['train loss', 'train acc', 'test acc'] });
 *     animator.add(epoch + (i + 1) / numBatches, [loss, accuracy, null]);
 *     animator.add(epoch + 1, [null, null, testAccuracy]);
 *
 * It holds points and nothing else. `toText` draws them for a terminal, `toSvg` for a page. As in the book, a value
 * that is absent leaves its series as it was: the line goes on from that series' last point to its next.
 *
 * Idea and signature: Dive into Deep Learning, `d2l.Animator`.
 */
import { Chalk } from 'chalk';
import { plotText } from './plotText.js';
import type { AnimatorOptions, Point, Series } from './series.js';

/** Beyond this a value has no place on any axis worth reading; a loss that large has diverged. */
const LARGEST = 1e30;

export class Animator {
  readonly options: AnimatorOptions;
  readonly #points: Point[][];

  constructor(options: AnimatorOptions = {}) {
    this.options = options;
    this.#points = (options.legend ?? []).map(() => []);
  }

  /**
   * Adds a point to each series at `x`. A single number is the first series' value. `null`, `undefined` and values
   * that cannot be drawn (NaN, infinite, beyond 1e30) add no point.
   */
  add(x: number, y: number | readonly (number | null | undefined)[]): void {
    const values = typeof y === 'number' ? [y] : y;
    for (const [index, value] of values.entries()) {
      while (this.#points.length <= index) this.#points.push([]);
      if (value !== null && value !== undefined && Math.abs(value) <= LARGEST && Math.abs(x) <= LARGEST) {
        this.#points[index]?.push([x, value]);
      }
    }
  }

  /** The curves so far. */
  get series(): Series[] {
    return this.#points.map((points, index) => ({ name: this.options.legend?.[index] ?? '', points: [...points] }));
  }

  /** A copy that can grow on its own. */
  copy(): Animator {
    const twin = new Animator(this.options);
    twin.#points.length = 0;
    twin.#points.push(...this.#points.map((points) => [...points]));
    return twin;
  }

  /**
   * The plot as text without colours, lines joined by `\n`, at most `width` columns by `height` lines (default
   * 72 x 18). Empty where that is too small for a plot.
   */
  toText({ width = 72, height = 18 }: { readonly width?: number; readonly height?: number } = {}): string {
    return plotText(this, { width, height, paint: new Chalk({ level: 0 }) }).join('\n');
  }

  /** The plot as a stand-alone SVG document, `width` x `height` pixels (default 560 x 360) inside its margins. */
  async toSvg({
    width = 560,
    height = 360,
  }: {
    readonly width?: number;
    readonly height?: number;
  } = {}): Promise<string> {
    // Vega is loaded only by those who draw a page; a terminal never waits for it.
    const { animatorSvg } = await import('./animatorSvg.js');
    return animatorSvg(this, width, height);
  }
}
