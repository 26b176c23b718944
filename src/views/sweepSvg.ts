/**
 * A sweep as a picture: a column for each preset, in it a mark for each seed at the test accuracy it came to. A column
 * of blue dots in a row is a recipe that trains; marks of another shape down at the line of guessing are one that was
 * lucky when it did.
 */
import type * as vega from 'vega';
import { fixed, printable } from './format.js';
import { lineStyle } from './lineStyles.js';
import { type GroupFigures, groupFigures, type Sweep, type SweepRun, seedsOf } from './sweep.js';
import { FAINT, FONT, pictureTitle, RULE, TEXT, vegaSvg } from './vegaSvg.js';

export interface SweepSvgOptions {
  /** Title above the picture. Default: `Test accuracy of every run`. */
  readonly title?: string;
  /** The accuracy of guessing, which gets a line. Default: 0.1, that of ten classes. */
  readonly guessing?: number;
}

/** Pixels inside the axes. */
const HEIGHT = 320;
const SMALLEST_COLUMN = 150;
const SMALLEST_PLOT = 560;
const LARGEST_PLOT = 1000;

/** Pixels a mark has for itself, and those left free at both ends of a column. */
const MARK_STEP = 18;
const COLUMN_PADDING = 20;
const COLUMN_GAP = 16;

/** Pixels beside and below the plot, and for the legend above it. */
const MARGIN = { left: 64, right: 74, bottom: 104 } as const;
const LEGEND = 30;
const LEGEND_Y = -20;

/** Pixels a character of the legend takes at most on average: nobody knows how wide a text is without a browser. */
const LEGEND_CHARACTER = 7.2;

const GOOD = lineStyle(0).ink;
const BAD = lineStyle(3).ink;

type Kind = 'trained' | 'untrained' | 'failed';

/** How each kind of run looks; the shape alone tells them apart too. */
const KINDS: Readonly<Record<Kind, Look>> = {
  trained: { shape: 'circle', fill: GOOD, stroke: 'white', strokeWidth: 1 },
  untrained: { shape: 'triangle-down', fill: 'white', stroke: BAD, strokeWidth: 1.75 },
  failed: { shape: 'M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8', fill: 'white', stroke: BAD, strokeWidth: 2.25 },
};

interface Look {
  readonly shape: string;
  readonly fill: string;
  readonly stroke: string;
  readonly strokeWidth: number;
}

interface Mark extends Look {
  readonly kind: Kind;
  readonly x: number;
  readonly accuracy: number;
  /** Number of dead classes where there are any. */
  readonly dead: string;
}

interface LegendEntry extends Look {
  readonly x: number;
  readonly label: string;
}

interface ColumnPlace {
  readonly left: number;
  readonly right: number;
  readonly middle: number;
  readonly preset: string;
  readonly trained: string;
  readonly isGood: boolean;
  readonly median: string;
}

/** The SVG document. A run without a test accuracy is drawn at 0. */
export function sweepSvg(
  sweep: Sweep,
  { title = 'Test accuracy of every run', guessing = 0.1 }: SweepSvgOptions = {},
): Promise<string> {
  const seeds = seedsOf(sweep);
  const columnWidth = columnWidthFor(sweep.groups.length, seeds.length);
  const width = columnWidth * Math.max(1, sweep.groups.length);
  const marks = sweep.groups.flatMap(({ runs }, column) => marksOf(runs, seeds, column * columnWidth, columnWidth));
  const columns = sweep.groups.map((group, column): ColumnPlace => {
    const figures = groupFigures(group);
    const left = column * columnWidth;
    return {
      left: left + COLUMN_GAP / 2,
      right: left + columnWidth - COLUMN_GAP / 2,
      middle: left + columnWidth / 2,
      preset: printable(group.preset),
      trained: `${figures.trained} of ${figures.runs} trained`,
      isGood: figures.runs > 0 && figures.trained === figures.runs,
      median: medianText(figures),
    };
  });
  const head = pictureTitle(printable(title), printable(sweep.criterion), width + MARGIN.right);
  return vegaSvg({
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    description: title,
    background: 'white',
    width,
    height: HEIGHT,
    padding: { ...MARGIN, top: 12 + LEGEND + head.height },
    autosize: 'none',
    config: { text: { font: FONT }, title: { font: FONT, subtitleFont: FONT } },
    ...(head.title === undefined ? {} : { title: head.title }),
    data: [
      { name: 'marks', values: [...marks] },
      { name: 'columns', values: columns },
      { name: 'legend', values: legendEntries(marks) },
    ],
    scales: [
      { name: 'accuracy', type: 'linear', domain: [0, 1], range: 'height', clamp: true },
      { name: 'x', type: 'linear', domain: [0, width], range: 'width', zero: false },
    ],
    axes: [accuracyAxis(), seedAxis()],
    marks: [
      columnShades(),
      gridLines(),
      ...guessingLine(guessing, width),
      symbols('marks', { scale: 'accuracy', field: 'accuracy' }),
      deadCounts(),
      ...captions(columnWidth),
      symbols('legend', { value: LEGEND_Y }),
      legendTexts(),
    ],
  });
}

/** Wide enough for a mark each, but no picture that a page has to shrink. */
function columnWidthFor(columns: number, seeds: number): number {
  const most = LARGEST_PLOT / Math.max(1, columns);
  const least = SMALLEST_PLOT / Math.max(1, columns);
  const wanted = seeds * MARK_STEP + 2 * COLUMN_PADDING + COLUMN_GAP;
  return Math.max(SMALLEST_COLUMN, Math.min(most, Math.max(least, wanted)));
}

/** The marks of a column. A seed has the same place in every column. */
function marksOf(runs: readonly SweepRun[], seeds: readonly number[], left: number, width: number): Mark[] {
  const start = left + COLUMN_GAP / 2 + COLUMN_PADDING;
  const room = width - COLUMN_GAP - 2 * COLUMN_PADDING;
  return runs.map((run) => ({
    ...KINDS[kindOf(run)],
    kind: kindOf(run),
    x: start + (room * (seeds.indexOf(run.seed) + 0.5)) / seeds.length,
    accuracy: run.testAccuracy ?? 0,
    dead: run.deadClasses > 0 ? String(run.deadClasses) : '',
  }));
}

function kindOf({ state, testAccuracy, trained }: SweepRun): Kind {
  if (state === 'failed' || testAccuracy === null) return 'failed';
  return trained ? 'trained' : 'untrained';
}

/** `median 0.863`, and of how many where some have no accuracy. */
function medianText({ median, runs, withoutAccuracy }: GroupFigures): string {
  if (median === null) return '';
  return `median ${fixed(median, 3)}${withoutAccuracy === 0 ? '' : ` of ${runs - withoutAccuracy}`}`;
}

/** What the legend explains: the kinds there are, and the numbers beside marks where there are any. */
function legendEntries(marks: readonly Mark[]): LegendEntry[] {
  const isAnyDead = marks.some(({ dead }) => dead !== '');
  const labels = [
    ['trained', 'trained'],
    ['untrained', isAnyDead ? 'not trained (number: its dead classes)' : 'not trained'],
    ...(marks.some(({ kind }) => kind === 'failed') ? ([['failed', 'failed']] as const) : []),
  ] as const;
  let x = 6;
  return labels.map(([kind, label]) => {
    const entry = { ...KINDS[kind], x, label };
    x += 36 + label.length * LEGEND_CHARACTER;
    return entry;
  });
}

function accuracyAxis(): vega.Axis {
  return {
    scale: 'accuracy',
    orient: 'left',
    title: 'test accuracy',
    values: [0, 0.2, 0.4, 0.6, 0.8, 1],
    format: '.1f',
    ticks: false,
    domain: false,
    titleFont: FONT,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    titleColor: TEXT,
    titlePadding: 10,
    labelFont: FONT,
    labelFontSize: 12,
    labelColor: FAINT,
    labelPadding: 7,
  };
}

/** Has no ticks: the columns have captions of their own. */
function seedAxis(): vega.Axis {
  return {
    scale: 'x',
    orient: 'bottom',
    title: 'preset, with one mark for each seed',
    ticks: false,
    labels: false,
    domainColor: FAINT,
    titleFont: FONT,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    titleColor: TEXT,
    titlePadding: 72,
  };
}

function legendTexts(): vega.Mark {
  return {
    type: 'text',
    from: { data: 'legend' },
    encode: {
      enter: {
        x: { field: 'x', offset: 11 },
        y: { value: LEGEND_Y },
        text: { field: 'label' },
        baseline: { value: 'middle' },
        fontSize: { value: 13 },
        fill: { value: TEXT },
      },
    },
  };
}

function columnShades(): vega.Mark {
  return {
    type: 'rect',
    from: { data: 'columns' },
    encode: {
      enter: {
        x: { field: 'left' },
        x2: { field: 'right' },
        y: { value: 0 },
        y2: { value: HEIGHT },
        fill: { value: '#f6f7f9' },
      },
    },
  };
}

/** Drawn over the columns' shades, which an axis' own grid would be hidden by. */
function gridLines(): vega.Mark {
  return {
    type: 'group',
    encode: { enter: { width: { signal: 'width' }, height: { signal: 'height' } } },
    axes: [
      {
        scale: 'accuracy',
        orient: 'left',
        values: [0.2, 0.4, 0.6, 0.8, 1],
        grid: true,
        gridColor: RULE,
        labels: false,
        ticks: false,
        domain: false,
      },
    ],
  };
}

function guessingLine(guessing: number, width: number): vega.Mark[] {
  const y = { scale: 'accuracy', value: guessing };
  return [
    {
      type: 'rule',
      encode: {
        enter: {
          x: { value: 0 },
          x2: { value: width },
          y,
          stroke: { value: FAINT },
          strokeDash: { value: [5, 4] },
        },
      },
    },
    {
      type: 'text',
      encode: {
        enter: {
          x: { value: width + 7 },
          y,
          text: { value: 'guessing' },
          baseline: { value: 'middle' },
          fontSize: { value: 12 },
          fill: { value: FAINT },
        },
      },
    },
  ];
}

/** The symbols of a data set, which tells place and look of each. */
function symbols(data: string, y: vega.NumericValueRef): vega.Mark {
  return {
    type: 'symbol',
    from: { data },
    encode: {
      enter: {
        x: { field: 'x' },
        y,
        shape: { field: 'shape' },
        fill: { field: 'fill' },
        stroke: { field: 'stroke' },
        strokeWidth: { field: 'strokeWidth' },
        size: { value: 72 },
      },
    },
  };
}

function deadCounts(): vega.Mark {
  return {
    type: 'text',
    from: { data: 'marks' },
    encode: {
      enter: {
        x: { field: 'x' },
        y: { scale: 'accuracy', field: 'accuracy', offset: -9 },
        text: { field: 'dead' },
        align: { value: 'center' },
        baseline: { value: 'bottom' },
        fontSize: { value: 10.5 },
        fill: { value: BAD },
      },
    },
  };
}

/** Under each column its preset, how many of its runs trained, and their median. */
function captions(columnWidth: number): vega.Mark[] {
  const caption = (field: string, below: number, look: vega.TextEncodeEntry): vega.Mark => ({
    type: 'text',
    from: { data: 'columns' },
    encode: {
      enter: {
        x: { field: 'middle' },
        y: { value: HEIGHT + below },
        text: { field },
        align: { value: 'center' },
        baseline: { value: 'top' },
        limit: { value: columnWidth - COLUMN_GAP },
        fontSize: { value: 13 },
        fill: { value: TEXT },
        ...look,
      },
    },
  });
  return [
    caption('preset', 9, { fontWeight: { value: 600 }, fontSize: { value: 14 } }),
    caption('trained', 29, { fill: [{ test: 'datum.isGood', value: GOOD }, { value: BAD }] }),
    caption('median', 47, { fontSize: { value: 12 }, fill: { value: FAINT } }),
  ];
}
