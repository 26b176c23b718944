/**
 * Cuts a line at the edges of the unit square, so a curve that leaves the plot is drawn up to the edge and no further
 * (the algorithm of Liang and Barsky).
 */
import type { Point } from './series.js';

/** The part of the segment inside [0, 1] x [0, 1], or `undefined` where none of it is. */
export function clipSegment(from: Point, to: Point): readonly [Point, Point] | undefined {
  let enter = 0;
  let leave = 1;
  const step = [to[0] - from[0], to[1] - from[1]] as const;
  for (const axis of [0, 1] as const) {
    if (step[axis] === 0) {
      if (from[axis] < 0 || from[axis] > 1) return undefined;
      continue;
    }
    const atZero = -from[axis] / step[axis];
    const atOne = (1 - from[axis]) / step[axis];
    enter = Math.max(enter, Math.min(atZero, atOne));
    leave = Math.min(leave, Math.max(atZero, atOne));
  }
  if (enter > leave) return undefined;
  const at = (share: number): Point => [from[0] + share * step[0], from[1] + share * step[1]];
  return [at(enter), at(leave)];
}
