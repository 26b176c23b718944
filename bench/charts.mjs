/** The pictures of a benchmark: bars beside the rivals, and how training grows with the work. */

import { chartSvg } from '../dist/views/chartSvg.js';
import { lineStyle } from '../dist/views/lineStyles.js';
import { FAINT, FONT, pictureTitle, RULE, TEXT, vegaSvg } from '../dist/views/vegaSvg.js';

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const WIDTH = 560;
const ROW = 24;
const OURS = lineStyle(0).ink;
const THEIRS = '#9aa3b0';

/** A row for each program and kind of work, fastest first within each. */
function rowsOf({ versus, slowRivals }) {
  const rows = [];
  for (const { resize, batchSize, nin, pytorch } of versus) {
    const work = (kind) => `${kind}, ${resize}×${resize}, batch ${batchSize}`;
    for (const [kind, mine, theirs] of [
      ['training', 'training', pytorch.training],
      ['inference', 'evaluation', pytorch.inference],
    ]) {
      rows.push({ work: work(kind), name: 'this project', rate: median(nin.map((each) => each[mine])) });
      if (theirs.length > 0) {
        rows.push({ work: work(kind), name: 'PyTorch', rate: median(theirs.map((each) => each.examplesPerSecond)) });
      }
      if (resize !== 224) continue;
      for (const rival of slowRivals.filter(({ mode }) => mode === kind)) {
        rows.push({ work: work(kind), name: rival.name, rate: rival.examplesPerSecond ?? 0 });
      }
    }
  }
  return rows;
}

const written = (rate) => (rate === 0 ? 'cannot, or not within the time limit' : `${Number(rate.toPrecision(3))}`);

/** Bars on a logarithmic scale: the programs differ by up to three orders of magnitude. */
export function barsSvg(result) {
  const rows = rowsOf(result);
  const works = [...new Set(rows.map(({ work }) => work))];
  let y = 0;
  const heads = [];
  const bars = [];
  for (const work of works) {
    heads.push({ y: y + 14, work });
    y += 28;
    for (const { name, rate } of rows.filter((row) => row.work === work)) {
      bars.push({
        y,
        name,
        rate: Math.max(rate, 0.01),
        label: written(rate),
        ink: name === 'this project' ? OURS : THEIRS,
      });
      y += ROW;
    }
    y += 12;
  }
  const { cpu, threads } = result.machine;
  const head = pictureTitle('Examples per second', `NiN on ${threads} threads of ${cpu}; logarithmic scale`, WIDTH);
  const text = (data, encode) => ({
    type: 'text',
    from: { data },
    encode: { enter: { baseline: { value: 'middle' }, fontSize: { value: 12.5 }, fill: { value: TEXT }, ...encode } },
  });
  return vegaSvg({
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    description: 'Examples per second beside the rivals',
    background: 'white',
    width: WIDTH,
    height: y,
    padding: { left: 150, right: 90, bottom: 44, top: 10 + head.height },
    autosize: 'none',
    config: { text: { font: FONT }, title: { font: FONT, subtitleFont: FONT } },
    title: head.title,
    data: [
      { name: 'bars', values: bars },
      { name: 'heads', values: heads },
    ],
    scales: [{ name: 'rate', type: 'log', domain: [0.01, 3000], range: 'width', clamp: true }],
    axes: [
      {
        scale: 'rate',
        orient: 'bottom',
        values: [0.01, 0.1, 1, 10, 100, 1000],
        format: '~g',
        grid: true,
        gridColor: RULE,
        domain: false,
        ticks: false,
        labelFont: FONT,
        labelColor: FAINT,
        title: 'examples per second',
        titleFont: FONT,
        titleFontWeight: 'normal',
        titleColor: TEXT,
      },
    ],
    marks: [
      {
        type: 'rect',
        from: { data: 'bars' },
        encode: {
          enter: {
            x: { value: 0 },
            x2: { scale: 'rate', field: 'rate' },
            y: { field: 'y' },
            height: { value: ROW - 6 },
            fill: { field: 'ink' },
          },
        },
      },
      text('bars', {
        x: { value: -8 },
        y: { field: 'y', offset: 9 },
        text: { field: 'name' },
        align: { value: 'right' },
      }),
      text('bars', {
        x: { scale: 'rate', field: 'rate', offset: 6 },
        y: { field: 'y', offset: 9 },
        text: { field: 'label' },
      }),
      text('heads', {
        x: { value: -142 },
        y: { field: 'y' },
        text: { field: 'work' },
        fontWeight: { value: 600 },
      }),
    ],
  });
}

/** Round ticks from 0 to beyond the largest value. */
function axisOf(title, most) {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((size) => most / size <= 6) ?? 2000;
  const end = Math.ceil(most / step) * step;
  return { title, domain: [0, end], ticks: Array.from({ length: end / step + 1 }, (_, i) => i * step) };
}

function plot(title, subtitle, x, xs, ys, yTitle) {
  return chartSvg({
    title,
    subtitle,
    width: 420,
    height: 240,
    x: { ...axisOf(x, Math.max(...xs)), ticks: xs },
    left: axisOf(yTitle, Math.max(...ys)),
    series: [{ name: '', points: xs.map((value, i) => [value, ys[i]]), style: lineStyle(0), axis: 'left', dots: true }],
  });
}

/** One picture for each kind of growth, by its name. */
export async function growthSvg({ growth: { imageSize, batchSize, threads } }) {
  const milliseconds = (each) => 1000 / each.training;
  return {
    'image-size': await plot(
      'Time against the size of the images',
      'milliseconds of training an image, batch size 32',
      'height and width in pixels',
      imageSize.map((each) => each.resize),
      imageSize.map(milliseconds),
      'ms an image',
    ),
    'batch-size': await plot(
      'Speed against the size of the batch',
      'training at 96×96',
      'images in a batch',
      batchSize.map((each) => each.batchSize),
      batchSize.map((each) => each.training),
      'examples per second',
    ),
    threads: await plot(
      'Speed against threads',
      'training at 96×96, batch size 64',
      'threads',
      threads.map((each) => each.threads),
      threads.map((each) => each.training),
      'examples per second',
    ),
  };
}
