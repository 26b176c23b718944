/** The table of saved runs: which there are, how each ended, what it came to. */
import { Chalk, type ChalkInstance } from 'chalk';
import { duration, epochs, fixed, printable } from './format.js';
import { numbers, plainTable, words } from './plainTable.js';

/** `damaged`: there is a folder, but it cannot be read as a run. */
export type RunRowState = 'done' | 'interrupted' | 'failed' | 'running' | 'damaged';

/** A run. What a damaged one does not tell is `null`. */
export interface RunRow {
  readonly name: string;
  readonly state: RunRowState;
  readonly preset: string | null;
  readonly seed: number | null;
  /** Epochs done, possibly fractional. */
  readonly epochsDone: number | null;
  /** Epochs to do. */
  readonly epochs: number | null;
  readonly testAccuracy: number | null;
  /** Wall-clock seconds it took. */
  readonly seconds: number | null;
  /** When it began, as ISO 8601 with its zone: `2026-11-23T21:45:01Z`. Shown as local time. */
  readonly startedAt?: string;
}

/**
 * The table as text, the newest run first: by the time it began, and below those by name in reverse. `paint` has the
 * colours of the stream it goes to (default: none).
 */
export function runsTable(rows: readonly RunRow[], paint: ChalkInstance = new Chalk({ level: 0 })): string {
  const isTimed = rows.some(({ startedAt }) => startedAt !== undefined);
  const none = paint.dim('–');
  const lines = plainTable(
    [
      words('run'),
      words('state'),
      words('preset'),
      numbers('seed'),
      numbers('epochs'),
      numbers('test acc'),
      numbers('time'),
      ...(isTimed ? [words('started')] : []),
    ],
    [...rows]
      .sort(newestFirst)
      .map((row) => [
        printable(row.name),
        stateShade(row.state, paint)(row.state),
        row.preset === null ? none : printable(row.preset),
        row.seed === null ? none : String(row.seed),
        epochsCell(row) ?? none,
        row.testAccuracy === null ? none : fixed(row.testAccuracy, 3),
        row.seconds === null ? none : duration(row.seconds),
        ...(isTimed ? [row.startedAt === undefined ? none : localTime(row.startedAt)] : []),
      ]),
  );
  return lines.join('\n');
}

/** Runs whose time is not known come last. */
function newestFirst(a: RunRow, b: RunRow): number {
  const [timeA, timeB] = [began(a), began(b)];
  if (timeA !== timeB) return timeB > timeA ? 1 : -1;
  return a.name === b.name ? 0 : b.name > a.name ? 1 : -1;
}

function began({ startedAt }: RunRow): number {
  const time = startedAt === undefined ? Number.NaN : Date.parse(startedAt);
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

function epochsCell({ epochsDone, epochs: all }: RunRow): string | undefined {
  if (epochsDone === null && all === null) return undefined;
  if (all === null) return epochs(epochsDone ?? 0);
  return `${epochs(epochsDone ?? 0)} of ${epochs(all)}`;
}

/** `2026-11-23 21:45`; a time that is none is shown as it is. */
function localTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return printable(iso);
  const two = (part: number): string => String(part).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

function stateShade(state: RunRowState, paint: ChalkInstance): ChalkInstance {
  switch (state) {
    case 'done':
      return paint.green;
    case 'running':
      return paint.blueBright;
    case 'interrupted':
      return paint.yellow;
    case 'failed':
    case 'damaged':
      return paint.red;
  }
}
