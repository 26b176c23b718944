/**
 * Draws an Animator's curves for a terminal: legend with each curve's last value, y axis, curves in braille dots, x
 * axis. The plot takes exactly the lines and at most the columns it is given, and draws nothing where they are too few.
 */
import type { ChalkInstance } from 'chalk';
import { type ScaleLinear, scaleLinear } from 'd3-scale';
import stringWidth from 'string-width';
import { BrailleCanvas } from './brailleCanvas.js';
import { clipSegment } from './clipSegment.js';
import { cut, fixed } from './format.js';
import { lineStyle } from './lineStyles.js';
import { xRange, yRange } from './ranges.js';
import type { Plot, Point, Series } from './series.js';

export interface PlotTextOptions {
  /** Columns to fill. */
  readonly width: number;
  /** Lines to fill. */
  readonly height: number;
  /** The colours of the stream it goes to. */
  readonly paint: ChalkInstance;
}

/** Smallest plot worth drawing, in columns and lines. */
export const SMALLEST_PLOT = { width: 30, height: 7 } as const;

/** From here on ticks are written as `1e+6`: the axis of a loss that diverges must not push the plot out. */
const UNWIELDY = 1e5;

/** The lines of the plot, or none where `width` x `height` is smaller than `SMALLEST_PLOT`. */
export function plotText(animator: Plot, { width, height, paint }: PlotTextOptions): string[] {
  if (width < SMALLEST_PLOT.width || height < SMALLEST_PLOT.height) return [];
  const { series, options } = animator;
  const head = [legend(series, width, paint), paint.dim(cut(options.ylabel ?? '', width))].filter(
    (line) => line !== '',
  );
  const rows = height - head.length - 2;

  const yTickCount = Math.max(2, Math.min(6, Math.floor(rows / 2.5)));
  const y = scaleLinear().domain(yRange(series, options.ylim));
  if (options.ylim === undefined) y.nice(5);
  const yTicks = ticks(y, yTickCount);
  const margin = Math.max(1, ...yTicks.map(({ label }) => label.length));

  // The x axis' title stands at the end of its line, which also leaves room for half of the last tick's label.
  const xTitle = cut(options.xlabel ?? '', Math.floor(width / 4));
  const columns = width - margin - 2 - Math.max(2, stringWidth(xTitle) + 1);
  const x = scaleLinear().domain(xRange(series, options.xlim));
  const xTicks = ticks(x, Math.max(1, Math.min(10, Math.floor(columns / 7))));

  const canvas = new BrailleCanvas(columns, rows);
  drawCurves(canvas, series, x, y, { right: columns * 2 - 1, bottom: rows * 4 - 1 });

  const yLabels = new Map(yTicks.map(({ share, label }) => [cell(1 - share, rows * 4 - 1, 4), label]));
  const body = Array.from({ length: rows }, (_, row) => {
    const label = yLabels.get(row);
    const axis = paint.dim(`${(label ?? '').padStart(margin)} ${label === undefined ? '│' : '┤'}`);
    const drawn = canvas.row(row).map(({ text, owner }) => (owner === undefined ? text : colour(paint, owner)(text)));
    return (axis + drawn.join('')).trimEnd();
  });
  const xLabels = xTicks.map(({ share, label }) => ({ column: cell(share, columns * 2 - 1, 2), label }));
  const ticked = new Set(xLabels.map(({ column }) => column));
  const rule = Array.from({ length: columns }, (_, column) => (ticked.has(column) ? '┴' : '─')).join('');
  const indent = ' '.repeat(margin + 1);
  return [...head, ...body, paint.dim(`${indent}└${rule} ${xTitle}`), paint.dim(tickLine(xLabels, margin + 2, width))];
}

/** The colour of series number `owner`. */
function colour(paint: ChalkInstance, owner: number): ChalkInstance {
  return paint[lineStyle(owner).terminal];
}

/** The character cell that holds the dot at `share` of `lastDot`, with `dots` dots to a cell. */
function cell(share: number, lastDot: number, dots: number): number {
  return Math.floor(Math.round(share * lastDot) / dots);
}

interface Tick {
  /** Where on the axis, from 0 to 1. */
  readonly share: number;
  readonly label: string;
}

function ticks(scale: ScaleLinear<number, number>, count: number): Tick[] {
  const values = scale.ticks(count);
  const label = scale.tickFormat(count, Math.max(...values.map(Math.abs)) >= UNWIELDY ? 'e' : undefined);
  return values.map((value) => ({ share: scale(value), label: label(value) }));
}

/** Draws the lines, then each curve's last point as a mark, which also shows a curve of a single point. */
function drawCurves(
  canvas: BrailleCanvas,
  series: readonly Series[],
  x: ScaleLinear<number, number>,
  y: ScaleLinear<number, number>,
  { right, bottom }: { readonly right: number; readonly bottom: number },
): void {
  const place = (point: Point): Point => [x(point[0]), y(point[1])];
  const dot = (point: Point): Point => [Math.round(point[0] * right), Math.round((1 - point[1]) * bottom)];
  for (const [owner, { points }] of series.entries()) {
    let walked = 0;
    for (const [index, point] of points.entries()) {
      const next = points[index + 1];
      const segment = next === undefined ? undefined : clipSegment(place(point), place(next));
      if (segment === undefined) continue;
      walked = canvas.line(dot(segment[0]), dot(segment[1]), lineStyle(owner).dots, walked, owner);
    }
  }
  for (const [owner, { points }] of series.entries()) {
    const last = points.at(-1);
    if (last !== undefined && clipSegment(place(last), place(last)) !== undefined) {
      canvas.mark(...dot(place(last)), '●', owner);
    }
  }
}

/** A piece of each curve's line, its name and its last value; without the values, then shorter, where columns are few. */
function legend(series: readonly Series[], width: number, paint: ChalkInstance): string {
  const line = (gap: number, sampleLength: number, withValues: boolean): string =>
    series
      .flatMap(({ name, points }, owner) => {
        const last = points.at(-1)?.[1];
        const value = withValues && last !== undefined ? ` ${paint.bold(fixed(last, 3))}` : '';
        return name === ''
          ? []
          : [`${colour(paint, owner)(lineStyle(owner).sample.slice(0, sampleLength))} ${name}${value}`];
      })
      .join(' '.repeat(gap));
  const candidates = [line(3, 3, true), line(3, 3, false), line(2, 1, false)];
  return candidates.find((candidate) => stringWidth(candidate) <= width) ?? cut(line(2, 1, false), width);
}

/** Tick labels centred under their ticks; a label that would touch the one before it is left out. */
function tickLine(
  labels: readonly { readonly column: number; readonly label: string }[],
  start: number,
  width: number,
): string {
  let line = '';
  for (const { column, label } of labels) {
    const at = Math.min(start + column - Math.floor((label.length - 1) / 2), width - label.length);
    if (line === '' || at > line.length) line = line.padEnd(at) + label;
  }
  return line;
}
