/** A sweep as text: what each preset came to, and below it what each seed did under each preset. */
import { Chalk, type ChalkInstance } from 'chalk';
import { fixed, printable } from './format.js';
import { numbers, plainTable, words } from './plainTable.js';
import { groupFigures, type Sweep, type SweepGroup, type SweepRun, seedsOf } from './sweep.js';

/** What marks a run that has not trained, so it is told apart where there is no colour. */
const UNTRAINED = '✗';

/** The tables and the sentence of what counts as trained. `paint` has the colours of the stream (default: none). */
export function sweepTable(sweep: Sweep, paint: ChalkInstance = new Chalk({ level: 0 })): string {
  const seeds = seedsOf(sweep);
  const lines = [
    ...plainTable(
      [
        words('preset'),
        numbers('seeds'),
        words('trained'),
        numbers('median'),
        numbers('lowest'),
        numbers('highest'),
        numbers('runs with dead classes'),
      ],
      sweep.groups.map((group) => summary(group, paint)),
    ),
    '',
    ...plainTable(
      [numbers('seed'), ...sweep.groups.map(({ preset }) => words(printable(preset)))],
      seeds.map((seed) => [
        String(seed),
        ...sweep.groups.map(({ runs }) =>
          runCell(
            runs.find((run) => run.seed === seed),
            paint,
          ),
        ),
      ]),
    ),
    '',
    ...notes(sweep).map((note) => ` ${note}`),
  ];
  return lines.join('\n');
}

function summary(group: SweepGroup, paint: ChalkInstance): string[] {
  const { runs, trained, median, lowest, highest, withDeadClasses } = groupFigures(group);
  const share = `${trained} of ${runs}`;
  const accuracy = (value: number | null): string => (value === null ? paint.dim('–') : fixed(value, 3));
  return [
    printable(group.preset),
    String(runs),
    trained === runs ? paint.green(share) : paint.red(share),
    accuracy(median),
    accuracy(lowest),
    accuracy(highest),
    withDeadClasses === 0 ? '0' : paint.red(String(withDeadClasses)),
  ];
}

/** `0.882`, or with what went wrong: `0.712 ✗ 2 dead`, `failed ✗`. */
function runCell(run: SweepRun | undefined, paint: ChalkInstance): string {
  if (run === undefined) return paint.dim('–');
  const { testAccuracy, deadClasses, state, trained } = run;
  const accuracy = testAccuracy === null ? '–' : fixed(testAccuracy, 3);
  const cell = [
    state === 'failed' ? 'failed' : accuracy,
    ...(trained ? [] : [UNTRAINED]),
    ...(deadClasses === 0 ? [] : [`${deadClasses} dead`]),
  ].join(' ');
  return trained ? paint.green(cell) : paint.red(cell);
}

function notes({ groups, criterion }: Sweep): string[] {
  const missing = groups.reduce((sum, group) => sum + groupFigures(group).withoutAccuracy, 0);
  return [
    `${printable(criterion)}; ${UNTRAINED} marks a run that has not.`,
    ...(missing === 0
      ? []
      : [`Median, lowest and highest leave out ${missing} ${missing === 1 ? 'run' : 'runs'} without a test accuracy.`]),
  ];
}
