/**
 * What a run leaves on the screen: the book's two closing lines, the test accuracy of each class, where it was saved.
 */
import type { ChalkInstance } from 'chalk';
import stringWidth from 'string-width';
import type { TrainingResult } from '../training/events.js';
import { bar } from './bar.js';
import { count, cut, epochs, fixed, padEnd, printable } from './format.js';

/** Columns of a class's bar at accuracy 1. */
const BAR = 30;

/** Columns a class's name may take; a longer one is cut. */
const LONGEST_NAME = 32;

/**
 * The lines the book prints after training, to the letter:
 *
 *     loss 0.563, train acc 0.786, test acc 0.790
 *     3087.6 examples/sec on cpu
 *
 * What is `null` in the result is left out.
 */
export function closingLines(result: TrainingResult): string[] {
  const figures = [
    ...(result.loss === null ? [] : [`loss ${fixed(result.loss, 3)}`]),
    ...(result.trainAccuracy === null ? [] : [`train acc ${fixed(result.trainAccuracy, 3)}`]),
    ...(result.testAccuracy === null ? [] : [`test acc ${fixed(result.testAccuracy, 3)}`]),
  ];
  return [
    ...(figures.length === 0 ? [] : [figures.join(', ')]),
    ...(result.examplesPerSecond === null
      ? []
      : [`${fixed(result.examplesPerSecond, 1)} examples/sec on ${printable(result.device)}`]),
  ];
}

/**
 * A line for each class: name, accuracy, bar. A class without test examples shows a dash. No lines where no class was
 * evaluated.
 */
export function classTable(
  classNames: readonly string[],
  perClassAccuracy: readonly (number | null)[] | null,
  paint: ChalkInstance,
): string[] {
  if (perClassAccuracy === null || perClassAccuracy.length === 0) return [];
  const names = perClassAccuracy.map((_, index) => cut(printable(classNames[index] ?? `class ${index}`), LONGEST_NAME));
  const width = Math.max(...names.map((name) => stringWidth(name)));
  const rows = perClassAccuracy.map((accuracy, index) => {
    const name = padEnd(names[index] ?? '', width);
    if (accuracy === null) return paint.dim(`  ${name}      –`);
    // A class the network never gets right is the book's dead class: the one line to notice.
    const shade = accuracy === 0 ? paint.red : paint.green;
    const figure = fixed(accuracy, 3);
    return `  ${name}  ${accuracy === 0 ? shade(figure) : figure}  ${bar(accuracy, BAR, shade, paint)}`;
  });
  return ['test accuracy per class', ...rows];
}

/** Everything printed when a run is over, for a plain or a coloured stream. */
export function farewell(
  result: TrainingResult,
  classNames: readonly string[],
  runFolder: string | undefined,
  paint: ChalkInstance,
): string[] {
  const table = classTable(classNames, result.perClassAccuracy, paint);
  return [
    ...(result.state === 'interrupted'
      ? [paint.yellow(`interrupted after ${count(result.steps)} steps, epoch ${epochs(result.epochs)}`)]
      : []),
    ...closingLines(result),
    ...(table.length === 0 ? [] : ['', ...table]),
    ...(runFolder === undefined ? [] : ['', `saved in ${paint.bold(printable(runFolder))}`]),
  ];
}
