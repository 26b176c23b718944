/** The table of a network's layers: what comes out of each, its parameters, its multiply-adds for one image. */
import { count, millions, printable } from './format.js';
import { numbers, plainTable, words } from './plainTable.js';

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

/** The table as text without colours, its last line the totals: `1,992,166 parameters, 762 M multiply-adds`. */
export function modelTable(rows: readonly ModelRow[], totals: ModelTotals): string {
  const lines = plainTable(
    [words('layer'), words('output shape'), numbers('parameters'), numbers('multiply-adds')],
    rows.map(({ layer, outputShape, parameters, multiplyAdds }) => [
      printable(layer),
      outputShape.join(' × '),
      figure(parameters),
      figure(multiplyAdds),
    ]),
  );
  return [...lines, '', ` ${count(totals.parameters)} parameters, ${millions(totals.multiplyAdds)} multiply-adds`].join(
    '\n',
  );
}

/** A layer without parameters or multiply-adds shows a dash, so those with stand out. */
function figure(value: number): string {
  return value === 0 ? '–' : count(value);
}
