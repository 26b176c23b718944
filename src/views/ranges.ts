/** From where to where the axes of a plot reach. */
import type { Series } from './series.js';

export type Range = readonly [low: number, high: number];

/** The x axis: the limits given, otherwise from the first point to the last. */
export function xRange(series: readonly Series[], limits: Range | undefined): Range {
  if (limits !== undefined) return wide(...limits);
  const values = series.flatMap(({ points }) => points.map(([x]) => x));
  return values.length === 0 ? [0, 1] : wide(Math.min(...values), Math.max(...values));
}

/** The y axis: the limits given, otherwise from 0, or the lowest value below it, to the highest. */
export function yRange(series: readonly Series[], limits: Range | undefined): Range {
  if (limits !== undefined) return wide(...limits);
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  return values.length === 0 ? [0, 1] : wide(Math.min(0, ...values), Math.max(0, ...values));
}

/** A range as it is, or one a unit wide where its ends are too close for an axis. */
function wide(low: number, high: number): Range {
  return high - low > 1e-9 * Math.max(1, Math.abs(low), Math.abs(high)) ? [low, high] : [low, low + 1];
}
