/**
 * `curves.svg`: the curves of a run as a person would put them into a report. Loss is read on the left axis, accuracy
 * on the right one, and both share their grid lines. It is drawn from a run's events alone, so it can be drawn again
 * from `events.jsonl` at any time.
 */
import { scaleLinear } from 'd3-scale';
import type { EpochEvent, StartEvent, TrainingEvent } from '../training/events.js';
import { type ChartAxis, type ChartSeries, chartSvg } from './chartSvg.js';
import type { Finding } from './findings.js';
import { count, epochs, fixed, printable } from './format.js';
import { lineStyle } from './lineStyles.js';
import { advance, type RunState } from './runState.js';

/** Grid lines above the x axis: every tenth of accuracy would crowd, every fifth reads. */
const INTERVALS = 5;

/** A line of no more points than this shows each of them. */
const FEW = 12;

/**
 * The SVG document of a run's curves so far.
 *
 * @throws RangeError if there is no `start` event among the events.
 */
export async function curvesSvg(events: Iterable<TrainingEvent>): Promise<string> {
  let state: RunState | undefined;
  let lastEpoch: EpochEvent | undefined;
  for (const event of events) {
    state = advance(state, event);
    if (event.type === 'epoch') lastEpoch = event;
  }
  if (state === undefined) throw new RangeError('curvesSvg: the events of a run begin with `start`, there is none.');
  const [loss, trainAccuracy, testAccuracy] = state.animator.series;
  const series: ChartSeries[] = [loss, trainAccuracy, testAccuracy].flatMap((curve, index) =>
    curve === undefined || curve.points.length === 0
      ? []
      : [
          {
            ...curve,
            style: lineStyle(index),
            axis: index === 0 ? ('left' as const) : ('right' as const),
            dots: index === 2 || curve.points.length <= FEW,
          },
        ],
  );
  return chartSvg({
    title: titleOf(state, lastEpoch),
    subtitle: subtitleOf(state.start),
    x: epochAxis(state.start, series),
    left: lossAxis(loss?.points.map(([, y]) => y) ?? []),
    right: { title: 'accuracy', domain: [0, 1], ticks: evenly(1) },
    series,
    width: 620,
    height: 340,
  });
}

function titleOf({ start, findings }: RunState, last: EpochEvent | undefined): string {
  const name = `${printable(start.model)}, preset ${printable(start.preset)}`;
  if (last === undefined || last.testAccuracy === null) return name;
  const unit = last.epoch === 1 ? 'epoch' : 'epochs';
  return `${name}: test accuracy ${fixed(last.testAccuracy, 3)} after ${epochs(last.epoch)} ${unit}${deadTitle(findings)}`;
}

/** A curve alone does not tell that classes are lost for good; its title does. */
function deadTitle(findings: readonly Finding[]): string {
  const dead = findings.filter(({ warning }) => warning.kind === 'deadClass').length;
  return dead === 0 ? '' : `, ${dead} dead ${dead === 1 ? 'class' : 'classes'}`;
}

function subtitleOf(start: StartEvent): string {
  return [
    `${count(start.parameterCount)} parameters`,
    `${count(start.trainExamples)} training images`,
    start.imageSize.join(' × '),
    `batch size ${count(start.batchSize)}`,
    `seed ${start.seed}`,
    printable(start.device),
  ].join('  ·  ');
}

/** From 0 to where the run came; an interrupted run's plot is not mostly empty. */
function epochAxis(start: StartEvent, series: readonly ChartSeries[]): ChartAxis {
  const reached = Math.max(0, ...series.flatMap(({ points }) => points.map(([x]) => x)));
  const end = reached > 0 ? reached : Math.max(start.epochs, Number.MIN_VALUE);
  const scale = scaleLinear([0, end], [0, 1]).nice(10);
  const [, top = end] = scale.domain();
  return { title: 'epoch', domain: [0, top], ticks: scale.ticks(10) };
}

/** From 0 to the first round number above the highest loss that five equal steps reach. */
function lossAxis(losses: readonly number[]): ChartAxis {
  const step = Math.max(0, ...losses) / INTERVALS;
  const power = step > 0 ? 10 ** Math.floor(Math.log10(step)) : 1;
  const round = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= step) ?? 10;
  const top = INTERVALS * (step > 0 ? round * power : 0.2);
  return { title: 'loss', domain: [0, top], ticks: evenly(top), ink: lineStyle(0).ink };
}

/** The ticks that divide an axis from 0 to `top` evenly. */
function evenly(top: number): number[] {
  return Array.from({ length: INTERVALS + 1 }, (_, index) => (top * index) / INTERVALS);
}
