/**
 * One picture of a running training for a window of any size: the plot, a progress bar, the figures of this moment,
 * and what goes wrong, which stays on the screen while the run goes on.
 * A pure function from what is known and how much room there is to lines; the terminal view only shows them.
 */
import type { ChalkInstance } from 'chalk';
import stringWidth from 'string-width';
import type { ProgressEvent } from '../training/events.js';
import { bar } from './bar.js';
import { cut, duration, epochs, fixed } from './format.js';
import { plotText, SMALLEST_PLOT } from './plotText.js';
import { liveAnimator, type RunState } from './runState.js';
import { warningLines } from './warningLines.js';

/** Beyond this a larger plot is not easier to read. */
const LARGEST = { width: 100, height: 22 } as const;

/** Columns of the words before the bar: `evaluating` and two blanks. */
const LABEL = 12;

/** Columns of the percentage and of the time left, which is reserved so the bar keeps its length. */
const PERCENT = 8;
const LEFT = 15;

/** Lines the warnings may take. */
const MOST_WARNING_LINES = 5;

export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/**
 * At most `height` lines of at most `width` columns. The plot is dropped first, then the figures, then the warnings,
 * last the bar. After the run's end only the plot remains.
 */
export function terminalFrame(state: RunState, { width, height }: FrameSize, paint: ChalkInstance): string[] {
  const across = Math.min(width, LARGEST.width);
  const { progress, end } = state;
  const status = progress === undefined || end !== undefined ? [] : statusLines(state, progress, across, paint);
  const isWarned = end === undefined && state.findings.length > 0;
  if (isWarned && height < status.length + 1) status.splice(1);

  // The warnings leave room for a plot where that leaves them two lines.
  const below = height - status.length;
  const besidePlot = below - SMALLEST_PLOT.height - 1;
  const room = Math.min(besidePlot >= 2 ? besidePlot : below, MOST_WARNING_LINES);
  const warnings = isWarned ? warningLines(state.findings, state.start.classNames, across, room, paint) : [];

  const plotHeight = Math.min(below - warnings.length - 1, LARGEST.height);
  const plot =
    plotHeight >= SMALLEST_PLOT.height
      ? plotText(liveAnimator(state), { width: across, height: plotHeight, paint })
      : [];
  const gap = plot.length > 0 && status.length + warnings.length > 0 ? [''] : [];
  const lines = [...plot, ...gap, ...status, ...warnings];
  return lines.slice(0, Math.max(0, height)).map((line) => cut(line, width));
}

function statusLines({ start }: RunState, progress: ProgressEvent, width: number, paint: ChalkInstance): string[] {
  const share = progress.total > 0 ? Math.min(1, Math.max(0, progress.done / progress.total)) : 0;
  const phase = progress.phase === 'train' ? 'training' : 'evaluating';
  const percent = `${fixed(100 * share, 1)}%`;
  const left = progress.secondsLeft === null ? '' : `${duration(progress.secondsLeft)} left`;
  // The time left stands beside the bar where there is room for both, otherwise among the figures.
  const isRoomy = width - LABEL - PERCENT - LEFT >= 16;
  const columns = width - LABEL - PERCENT - (isRoomy ? LEFT : 0);
  const shade = progress.phase === 'train' ? paint.blueBright : paint.green;
  const first =
    columns < 8
      ? `${phase} ${percent}`
      : phase.padEnd(LABEL) +
        bar(share, columns, shade, paint) +
        percent.padStart(PERCENT) +
        (isRoomy ? left.padStart(LEFT) : '');

  const of = epochs(start.epochs);
  const figures = [
    { rank: 1, text: `epoch ${fixed(progress.epoch, 2)}/${of}` },
    { rank: 3, text: progress.loss === null ? '' : `loss ${fixed(progress.loss, 3)}` },
    { rank: 5, text: progress.accuracy === null ? '' : `acc ${fixed(progress.accuracy, 3)}` },
    { rank: 4, text: progress.examplesPerSecond === null ? '' : `${fixed(progress.examplesPerSecond, 1)} examples/s` },
    { rank: 6, text: `${duration(progress.secondsElapsed)} elapsed` },
    { rank: 2, text: isRoomy ? '' : left },
  ].filter(({ text }) => text !== '');
  return [first, mostImportant(figures, width).join(paint.dim(' · '))];
}

/** As many of the figures as fit on a line, the most important (lowest rank) first, in the order given. */
function mostImportant(figures: readonly { readonly rank: number; readonly text: string }[], width: number): string[] {
  const kept = new Set<string>();
  let used = 0;
  for (const { text } of [...figures].sort((a, b) => a.rank - b.rank)) {
    const columns = stringWidth(text) + (kept.size === 0 ? 0 : 3);
    if (kept.size > 0 && used + columns > width) break;
    used += columns;
    kept.add(text);
  }
  return figures.map(({ text }) => text).filter((text) => kept.has(text));
}
