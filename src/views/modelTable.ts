/** The table of a network's layers: what comes out of each, its parameters, its multiply-adds for one image. */
import Table from 'cli-table3';
import { count, millions, printable } from './format.js';

export interface ModelRow {
  readonly layer: string;
  /** Sizes of the output of one image, e.g. `[96, 54, 54]`. */
  readonly outputShape: readonly number[];
  readonly parameters: number;
  /** Multiply-adds for one image. */
  readonly multiplyAdds: number;
}

export interface ModelTotals {
  readonly parameters: number;
  readonly multiplyAdds: number;
}

/** Only the rule under the head is drawn: numbers in columns need no boxes. */
const NO_LINES = {
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
} as const;

/** The table as text without colours, its last line the totals: `1,992,166 parameters, 762 M multiply-adds`. */
export function modelTable(rows: readonly ModelRow[], totals: ModelTotals): string {
  const table = new Table({
    head: ['layer', 'output shape', 'parameters', 'multiply-adds'],
    colAligns: ['left', 'left', 'right', 'right'],
    chars: { ...NO_LINES, mid: '─' },
    style: { head: [], border: [], compact: true, 'padding-left': 1, 'padding-right': 1 },
  });
  for (const { layer, outputShape, parameters, multiplyAdds } of rows) {
    table.push([printable(layer), outputShape.join(' × '), figure(parameters), figure(multiplyAdds)]);
  }
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  return [...lines, '', ` ${count(totals.parameters)} parameters, ${millions(totals.multiplyAdds)} multiply-adds`].join(
    '\n',
  );
}

/** A layer without parameters or multiply-adds shows a dash, so those with stand out. */
function figure(value: number): string {
  return value === 0 ? '–' : count(value);
}
