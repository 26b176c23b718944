/**
 * What a run leaves on the screen: the book's two closing lines, which classes are dead, the test accuracy of each
 * class, what went wrong, where it was saved.
 */
import type { ChalkInstance } from 'chalk';
import stringWidth from 'string-width';
import type { TrainingResult } from '../training/events.js';
import { bar } from './bar.js';
import type { Finding } from './findings.js';
import { count, epochs, fixed, padEnd, printable } from './format.js';
import { classTitle, warningBlock } from './warningLines.js';

/** Columns of a class's bar at accuracy 1. */
const BAR = 30;

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
 * A line for each class: name, accuracy, bar, and whether it is among the dead (`deadClasses`, by index). A class
 * without test examples shows a dash. No lines where no class was evaluated.
 */
export function classTable(
  classNames: readonly string[],
  perClassAccuracy: readonly (number | null)[] | null,
  paint: ChalkInstance,
  deadClasses: readonly number[] = [],
): string[] {
  if (perClassAccuracy === null || perClassAccuracy.length === 0) return [];
  const names = perClassAccuracy.map((_, index) => classTitle(classNames, index));
  const width = Math.max(...names.map((name) => stringWidth(name)));
  const rows = perClassAccuracy.map((accuracy, index) => {
    const name = padEnd(names[index] ?? '', width);
    const dead = deadClasses.includes(index) ? paint.red('  dead') : '';
    if (accuracy === null) return paint.dim(`  ${name}      –`) + dead;
    // A class the network never gets right is a line to notice, whether or not it was seen to die.
    const shade = accuracy === 0 ? paint.red : paint.green;
    const figure = fixed(accuracy, 3);
    return `  ${name}  ${accuracy === 0 ? shade(figure) : figure}  ${bar(accuracy, BAR, shade, paint)}${dead}`;
  });
  return ['test accuracy per class', ...rows];
}

/** What else there is to say when a run is over. */
export interface FarewellOptions {
  readonly classNames: readonly string[];
  /** What went wrong on the way, the latest first. Default: nothing. */
  readonly findings?: readonly Finding[];
  /** The folder the run is saved in. Default: none is named. */
  readonly runFolder?: string | undefined;
  /** Columns to break the warnings to. Default: each is one line. */
  readonly width?: number;
}

/** Everything printed when a run is over, for a plain or a coloured stream. */
export function farewell(
  result: TrainingResult,
  { classNames, findings = [], runFolder, width = Number.POSITIVE_INFINITY }: FarewellOptions,
  paint: ChalkInstance,
): string[] {
  const { deadClasses } = result;
  const table = classTable(classNames, result.perClassAccuracy, paint, deadClasses);
  const warnings = warningBlock(findings, width, paint);
  return [
    ...stateLines(result, paint),
    ...closingLines(result),
    ...(deadClasses.length === 0 ? [] : ['', paint.red(deadClassesLine(deadClasses, classNames))]),
    ...(table.length === 0 ? [] : ['', ...table]),
    ...(warnings.length === 0 ? [] : ['', ...warnings]),
    ...(runFolder === undefined ? [] : ['', `saved in ${paint.bold(printable(runFolder))}`]),
  ];
}

/** How a run ended that did not come to its end. */
function stateLines({ state, failure, steps, epochs: reached }: TrainingResult, paint: ChalkInstance): string[] {
  const where = `after ${count(steps)} ${steps === 1 ? 'step' : 'steps'}, epoch ${epochs(reached)}`;
  if (state === 'interrupted') return [paint.yellow(`interrupted ${where}`)];
  if (failure !== null) return [paint.red(`failed ${where}: ${printable(failure)}`)];
  return [];
}

/** `2 of 10 classes are dead, nothing is learned for them: shirt, bag`. */
function deadClassesLine(deadClasses: readonly number[], classNames: readonly string[]): string {
  const isOne = deadClasses.length === 1;
  const of = classNames.length === 0 ? '' : ` of ${classNames.length}`;
  const noun = isOne && of === '' ? 'class' : 'classes';
  const names = deadClasses.map((index) => classTitle(classNames, index)).join(', ');
  return `${deadClasses.length}${of} ${noun} ${isOne ? 'is' : 'are'} dead, nothing is learned for ${isOne ? 'it' : 'them'}: ${names}`;
}
