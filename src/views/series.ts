/** What a plot is made of: points, curves, and how a reader of the book asks for axes and a legend. */

/** A point of a curve. */
export type Point = readonly [x: number, y: number];

/** A curve: its name in the legend (empty: not in the legend) and its points in the order they were added. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface AnimatorOptions {
  /** Title of the x axis. Default: none. */
  readonly xlabel?: string;
  /** Title of the y axis. Default: none. */
  readonly ylabel?: string;
  /** Name of each series. Default: series without names. */
  readonly legend?: readonly string[];
  /** Ends of the x axis. Default: those of the points. */
  readonly xlim?: readonly [number, number];
  /** Ends of the y axis. Default: from 0 (or the lowest value, if negative) to the highest value, rounded. */
  readonly ylim?: readonly [number, number];
}

/** Curves and how to show them: what an `Animator` holds. */
export interface Plot {
  readonly series: readonly Series[];
  readonly options: AnimatorOptions;
}
