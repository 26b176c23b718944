/** The head of a run's picture: what is trained, on what, with what. Its first line is the book's. */
import type { ChalkInstance } from 'chalk';
import type { StartEvent } from '../training/events.js';
import { count, cut, epochs, printable } from './format.js';

/** The lines of the head, each cut to `width` columns (default: whole). */
export function headerLines(start: StartEvent, paint: ChalkInstance, width = Number.POSITIVE_INFINITY): string[] {
  const [height, across] = start.imageSize;
  const rows: readonly (readonly [label: string, ...items: string[]])[] = [
    ['model', printable(start.model), `${count(start.parameterCount)} parameters`],
    [
      'data',
      `${count(start.trainExamples)} train`,
      `${count(start.testExamples)} test`,
      `${height} × ${across} pixels`,
    ],
    [
      'run',
      `${epochs(start.epochs)} ${start.epochs === 1 ? 'epoch' : 'epochs'}`,
      `${count(start.totalSteps)} ${start.totalSteps === 1 ? 'step' : 'steps'}`,
      `batch size ${count(start.batchSize)}`,
      `preset ${printable(start.preset)}`,
      `seed ${start.seed}`,
    ],
    ['engine', printable(start.engine), `${start.threads} ${start.threads === 1 ? 'thread' : 'threads'}`],
  ];
  return [
    `training on ${paint.bold(printable(start.device))}`,
    ...rows.map(([label, ...items]) => `  ${paint.dim(label.padEnd(8))}${items.join(paint.dim(' · '))}`),
  ].map((line) => cut(line, width));
}
