/**
 * The view for files and pipes: plain lines, no control characters. A line for each plotted point and each epoch, and
 * where steps are long a sign of life every half minute - by the run's clock, not by this process's. A warning is one
 * line, however long, so it can be searched for.
 */
import { Chalk } from 'chalk';
import type { EndEvent, ProgressEvent, StartEvent, TrainingEvent, WarningEvent } from '../training/events.js';
import { farewell } from './closing.js';
import { type Finding, noteWarning } from './findings.js';
import { count, duration, epochs, fixed, printable } from './format.js';
import { headerLines } from './header.js';
import type { View, ViewOptions, ViewStream } from './view.js';

/** Longest silence, in seconds of the run. */
const LONGEST_SILENCE = 30;

export class PlainView implements View {
  readonly #stream: ViewStream;
  readonly #options: ViewOptions;
  readonly #paint = new Chalk({ level: 0 });
  #start: StartEvent | undefined;
  #findings: readonly Finding[] = [];
  /** Seconds into the run, now and when the last line was written. */
  #now = 0;
  #lastLineAt = 0;

  constructor(stream: ViewStream, options: ViewOptions = {}) {
    this.#stream = stream;
    this.#options = options;
  }

  onEvent(event: TrainingEvent): void {
    switch (event.type) {
      case 'start':
        this.#start = event;
        this.#findings = [];
        this.#write(...headerLines(event, this.#paint), '');
        break;
      case 'point':
        // A point of test accuracy alone comes with its epoch's event, whose line says it too.
        if (event.trainLoss !== undefined || event.trainAccuracy !== undefined) {
          this.#write(
            row(`epoch ${fixed(event.epoch, 2)}`, [
              ['loss', event.trainLoss],
              ['train acc', event.trainAccuracy],
              ['test acc', event.testAccuracy],
            ]),
          );
        }
        break;
      case 'epoch':
        this.#write(
          row(`epoch ${epochs(event.epoch)} done`, [
            ['loss', event.trainLoss],
            ['train acc', event.trainAccuracy],
            ['test acc', event.testAccuracy],
          ]),
        );
        break;
      case 'progress':
        this.#now = event.secondsElapsed;
        if (this.#now - this.#lastLineAt >= LONGEST_SILENCE) this.#write(progressLine(event));
        break;
      case 'end':
        this.#write('', ...this.#farewell(event));
        break;
      case 'warning':
        this.#findings = noteWarning(this.#findings, event);
        this.#write(warningRow(event));
        break;
      case 'notice':
        this.#write(printable(event.message));
        break;
      case 'step':
        break;
    }
  }

  close(): void {
    // Every line is written whole: there is nothing to put back.
  }

  #farewell({ result }: EndEvent): string[] {
    const classNames = this.#start?.classNames ?? [];
    const { runFolder } = this.#options;
    return farewell(result, { classNames, findings: this.#findings, runFolder }, this.#paint);
  }

  #write(...lines: readonly string[]): void {
    this.#lastLineAt = this.#now;
    this.#stream.write(`${lines.join('\n')}\n`);
  }
}

type Figures = readonly (readonly [name: string, value: number | null | undefined])[];

/** A line of the table: where in the run, the figures known, anything else there is to say. */
function row(title: string, figures: Figures, ...more: readonly string[]): string {
  const known = figures.flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${fixed(value, 3)}`] : []));
  return `${title.padEnd(16)}${[...known, ...more].join(', ')}`.trimEnd();
}

/** A warning as a line; that a class lives again is none. */
function warningRow({ kind, step, message }: WarningEvent): string {
  return row(`step ${count(step)}`, [], `${kind === 'aliveClass' ? '' : 'WARNING: '}${printable(message)}`);
}

function progressLine(progress: ProgressEvent): string {
  const percent = `${fixed(progress.total > 0 ? (100 * progress.done) / progress.total : 0, 1)}%`;
  return row(
    `epoch ${fixed(progress.epoch, 2)}`,
    [
      ['loss', progress.loss],
      ['train acc', progress.accuracy],
    ],
    progress.phase === 'train' ? `${percent} done` : `${percent} evaluated`,
    ...(progress.examplesPerSecond === null ? [] : [`${fixed(progress.examplesPerSecond, 1)} examples/sec`]),
    `${duration(progress.secondsElapsed)} elapsed`,
    ...(progress.secondsLeft === null ? [] : [`${duration(progress.secondsLeft)} left`]),
  );
}
