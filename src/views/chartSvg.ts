/**
 * Draws a line chart as a stand-alone SVG document with Vega: white paper, one or two y axes, legend above the plot.
 * It is told what to draw; which curves belong on which axis is its callers' concern.
 */
import type * as vega from 'vega';
import type { LineStyle } from './lineStyles.js';
import type { Point } from './series.js';
import { FAINT, FONT, pictureTitle, RULE, TEXT, vegaSvg } from './vegaSvg.js';

/** An axis: what it shows, from where to where, and the values that get a tick. */
export interface ChartAxis {
  readonly title: string;
  readonly domain: readonly [number, number];
  readonly ticks: readonly number[];
  /** Colour of title and labels where the axis belongs to one curve. Default: dark grey. */
  readonly ink?: string;
}

export interface ChartSeries {
  readonly name: string;
  readonly points: readonly Point[];
  readonly style: LineStyle;
  readonly axis: 'left' | 'right';
  /** Whether each point is shown as a dot on the line. */
  readonly dots: boolean;
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: ChartAxis;
  readonly left: ChartAxis;
  readonly right?: ChartAxis;
  readonly series: readonly ChartSeries[];
  /** Pixels inside the axes. */
  readonly width: number;
  readonly height: number;
}

/** Half the length of a curve's piece in the legend, in pixels; symbol paths are drawn in units of it. */
const SAMPLE = 15;

/** The SVG document of a chart. */
export function chartSvg(chart: Chart): Promise<string> {
  return vegaSvg(spec(chart));
}

function spec(chart: Chart): vega.Spec {
  const named = chart.series.filter(({ name }) => name !== '');
  const { left, right, bottom, belowTitle } = margins(chart);
  const { title, height } = pictureTitle(chart.title, chart.subtitle, chart.width + right);
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    description: chart.title,
    background: 'white',
    width: chart.width,
    height: chart.height,
    // Without a browser Vega can only guess how wide a text is, so the margins are not left to it.
    padding: { left, right, bottom, top: belowTitle + height },
    autosize: 'none',
    config: { text: { font: FONT }, title: { font: FONT, subtitleFont: FONT } },
    ...(title === undefined ? {} : { title }),
    data: chart.series.map(({ points }, index) => ({
      name: `curve ${index}`,
      values: points.map(([x, y]) => ({ x, y })),
    })),
    scales: [
      linear('x', chart.x, 'width'),
      linear('left', chart.left, 'height'),
      ...(chart.right === undefined ? [] : [linear('right', chart.right, 'height')]),
      ordinal(
        'ink',
        named,
        named.map(({ style }) => style.ink),
      ),
      ordinal('sample', named, named.map(samplePath)),
    ],
    axes: [
      { ...axis(chart.x), scale: 'x', orient: 'bottom', ticks: true, tickColor: FAINT, tickSize: 5, labelFlush: false },
      { ...axis(chart.left), scale: 'left', orient: 'left', grid: true, gridColor: RULE, ticks: false, domain: false },
      ...(chart.right === undefined
        ? []
        : [
            {
              ...axis(chart.right),
              scale: 'right',
              orient: 'right' as const,
              titleAngle: -90,
              titleBaseline: 'top' as const,
              ticks: false,
              domain: false,
            },
          ]),
    ],
    legends: named.length === 0 ? [] : [legend(named.length)],
    marks: chart.series.flatMap(curve),
  };
}

function margins(chart: Chart): { left: number; right: number; bottom: number; belowTitle: number } {
  const legend = chart.series.some(({ name }) => name !== '') ? 34 : 8;
  return { left: 72, right: chart.right === undefined ? 24 : 72, bottom: 54, belowTitle: 14 + legend };
}

/** What all axes share. */
function axis({ title: text, ticks, ink }: ChartAxis): Omit<vega.Axis, 'scale' | 'orient'> {
  return {
    values: [...ticks],
    // The labels of a loss that diverged must fit the margin.
    ...(Math.max(...ticks) >= 1e5 ? { format: '.2~e' } : {}),
    ...(text === '' ? {} : { title: text }),
    titleFont: FONT,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    titleColor: ink ?? TEXT,
    titlePadding: 10,
    labelFont: FONT,
    labelFontSize: 12,
    labelColor: ink ?? FAINT,
    labelPadding: 7,
    domainColor: FAINT,
  };
}

/** A line of curve pieces and names above the plot. */
function legend(columns: number): vega.Legend {
  return {
    stroke: 'ink',
    fill: 'ink',
    shape: 'sample',
    symbolSize: 4 * SAMPLE ** 2,
    symbolStrokeWidth: 2.25,
    orient: 'top',
    direction: 'horizontal',
    columns,
    columnPadding: 0,
    labelFont: FONT,
    labelFontSize: 13,
    labelColor: TEXT,
    labelOffset: 6,
    offset: 12,
  };
}

function linear(name: string, { domain }: ChartAxis, range: 'width' | 'height'): vega.LinearScale {
  return { name, type: 'linear', domain: [...domain], zero: false, range };
}

function ordinal(name: string, named: readonly ChartSeries[], range: string[]): vega.OrdinalScale {
  return { name, type: 'ordinal', domain: named.map((series) => series.name), range };
}

/** A piece of a curve as a path: its dashes, drawn one by one so they leave the point on it alone, and the point. */
function samplePath({ style, dots }: ChartSeries): string {
  let path = '';
  let at = -SAMPLE;
  for (let piece = 0; at < SAMPLE; piece++) {
    const end = Math.min(SAMPLE, at + (style.dash[piece % style.dash.length] ?? 2 * SAMPLE));
    if (piece % 2 === 0) path += `M${at / SAMPLE},0L${end / SAMPLE},0`;
    at = end;
  }
  return dots ? `${path}M-0.2,0A0.2,0.2,0,1,0,0.2,0A0.2,0.2,0,1,0,-0.2,0Z` : path;
}

/** The line of a curve and, where they are wanted or the line would be invisible, the dots of its points. */
function curve({ points, style, axis: scale, dots }: ChartSeries, index: number): vega.Mark[] {
  const name = `curve ${index}`;
  const place = { x: { scale: 'x', field: 'x' }, y: { scale, field: 'y' } };
  const line: vega.Mark = {
    type: 'line',
    from: { data: name },
    clip: true,
    encode: {
      enter: {
        ...place,
        stroke: { value: style.ink },
        strokeWidth: { value: 2.25 },
        strokeDash: { value: [...style.dash] },
        strokeCap: { value: 'butt' },
        strokeJoin: { value: 'round' },
      },
    },
  };
  const symbols: vega.Mark = {
    type: 'symbol',
    from: { data: name },
    encode: {
      enter: {
        ...place,
        size: { value: 38 },
        fill: { value: style.ink },
        stroke: { value: 'white' },
        strokeWidth: { value: 1.25 },
      },
    },
  };
  return dots || points.length === 1 ? [line, symbols] : [line];
}
