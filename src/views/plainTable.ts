/**
 * Tables as all views set them: columns aligned, a rule under the head and no other line, because numbers in columns
 * need no boxes.
 */
import Table from 'cli-table3';

export interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
}

/** A column of words. */
export function words(head: string): Column {
  return { head, align: 'left' };
}

/** A column of numbers. */
export function numbers(head: string): Column {
  return { head, align: 'right' };
}

const ONLY_A_RULE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
  'mid-mid': '',
  mid: '─',
} as const;

/** The lines of a table: its head, the rule, a line for each row. Cells may be coloured. */
export function plainTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align }) => align),
    chars: ONLY_A_RULE,
    style: { head: [], border: [], compact: true, 'padding-left': 1, 'padding-right': 1 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}
