/**
 * A drawing in braille characters: each character cell holds 2 x 4 dots, so lines in a terminal come out eight times
 * finer than characters. Every cell remembers which series drew in it last and takes that series' colour.
 *
 * Libraries that draw charts in a terminal were tried first: those alive draw staircases of box characters (one
 * series hides the other, ticks collide), those with dots have not been maintained for years.
 */

/** Bit of each dot in a braille character, by row and column in the cell (Unicode's numbering of the dots). */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

interface Cell {
  dots: number;
  /** A character drawn instead of the dots. */
  mark: string | undefined;
  /** Who drew here last. */
  owner: number;
}

/** A piece of a row drawn by one owner; nobody's is `undefined`. */
export interface Run {
  text: string;
  readonly owner: number | undefined;
}

export class BrailleCanvas {
  readonly #columns: number;
  readonly #cells: Cell[];

  /** An empty canvas of `columns` x `rows` characters, which is `2 columns` x `4 rows` dots. */
  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#cells = Array.from({ length: columns * rows }, () => ({ dots: 0, mark: undefined, owner: 0 }));
  }

  /** Sets the dot at column `x` from the left and row `y` from the top; outside the canvas it does nothing. */
  dot(x: number, y: number, owner: number): void {
    const cell = this.#cell(Math.floor(x / 2), Math.floor(y / 4));
    if (cell === undefined) return;
    cell.dots |= DOTS[((y % 4) + 4) % 4]?.[((x % 2) + 2) % 2] ?? 0;
    cell.owner = owner;
  }

  /** Puts a character into the cell of the dot at (x, y), in place of its dots. */
  mark(x: number, y: number, mark: string, owner: number): void {
    const cell = this.#cell(Math.floor(x / 2), Math.floor(y / 4));
    if (cell === undefined) return;
    cell.mark = mark;
    cell.owner = owner;
  }

  /**
   * A straight line between two dots inside the canvas. `dashes` are lengths drawn and left out in turn (empty:
   * solid); `walked` dots of that pattern are behind us already. Returns the dots walked after this line, so a
   * pattern runs on through the corners of a curve.
   */
  line(
    from: readonly [number, number],
    to: readonly [number, number],
    dashes: readonly number[],
    walked: number,
    owner: number,
  ): number {
    const dx = to[0] - from[0];
    const dy = to[1] - from[1];
    const steps = Math.max(Math.abs(dx), Math.abs(dy));
    for (let step = 0; step <= steps; step++) {
      const share = steps === 0 ? 0 : step / steps;
      if (isDrawn(dashes, walked + step)) {
        this.dot(Math.round(from[0] + share * dx), Math.round(from[1] + share * dy), owner);
      }
    }
    return walked + steps;
  }

  /** Row `row` from the top, in pieces of one owner each. */
  row(row: number): Run[] {
    const runs: Run[] = [];
    for (const cell of this.#cells.slice(row * this.#columns, (row + 1) * this.#columns)) {
      const empty = cell.dots === 0 && cell.mark === undefined;
      const text = empty ? ' ' : (cell.mark ?? String.fromCharCode(0x2800 + cell.dots));
      const owner = empty ? undefined : cell.owner;
      const last = runs.at(-1);
      if (last !== undefined && last.owner === owner) last.text += text;
      else runs.push({ text, owner });
    }
    return runs;
  }

  #cell(column: number, row: number): Cell | undefined {
    return column < 0 || column >= this.#columns ? undefined : this.#cells[row * this.#columns + column];
  }
}

/** Whether a dashed line is down at this many dots from its start. */
function isDrawn(dashes: readonly number[], distance: number): boolean {
  const period = dashes.reduce((sum, length) => sum + length, 0);
  if (period === 0) return true;
  let rest = distance % period;
  for (const [index, length] of dashes.entries()) {
    if (rest < length) return index % 2 === 0;
    rest -= length;
  }
  return true;
}
