/** Shows an evaluation: a bar while it runs on a terminal, then the accuracy, in all and of each class. */

import { Chalk } from 'chalk';
import { createLogUpdate } from 'log-update';
import { bar } from './bar.js';
import { classTable } from './closing.js';
import { count, fixed } from './format.js';
import type { ViewStream } from './view.js';

const BAR = 30;

/** What an evaluation came to. */
export interface EvaluationFigures {
  readonly accuracy: number;
  readonly perClassAccuracy: readonly (number | null)[];
  readonly total: number;
}

export class EvaluationView {
  readonly #stream: ViewStream;
  readonly #total: number;
  readonly #paint: InstanceType<typeof Chalk>;
  #live: ReturnType<typeof createLogUpdate> | undefined;

  constructor(stream: ViewStream, total: number) {
    this.#stream = stream;
    this.#total = total;
    this.#paint = new Chalk({ level: (stream.getColorDepth?.() ?? 1) > 1 ? 1 : 0 });
  }

  onProgress(done: number): void {
    if (this.#stream.isTTY !== true) return;
    this.#live ??= createLogUpdate(this.#stream, { showCursor: true });
    const picture = bar(done / this.#total, BAR, this.#paint.cyan, this.#paint);
    this.#live(`evaluating ${picture} ${count(done)} of ${count(this.#total)}`);
  }

  onEnd({ accuracy, perClassAccuracy, total }: EvaluationFigures, classNames: readonly string[]): void {
    this.#live?.clear();
    const table = classTable(classNames, perClassAccuracy, this.#paint);
    this.#stream.write([`test acc ${fixed(accuracy, 3)} on ${count(total)} examples`, '', ...table, ''].join('\n'));
  }

  close(): void {
    this.#live?.done();
    this.#live = undefined;
  }
}
