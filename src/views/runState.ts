/**
 * What a live view knows of a run: the events so far, folded into what is on the screen. It is the only state of the
 * terminal view, so any frame can be drawn from it at any window size.
 */
import type { EndEvent, ProgressEvent, StartEvent, TrainingEvent } from '../training/events.js';
import { Animator } from './animator.js';
import { type Finding, noteWarning } from './findings.js';

export interface RunState {
  readonly start: StartEvent;
  /** The curves, as the book plots them. */
  readonly animator: Animator;
  /** The latest progress; `undefined` before the first. */
  readonly progress: ProgressEvent | undefined;
  /** What went wrong so far, the latest first. */
  readonly findings: readonly Finding[];
  /** The outcome; `undefined` while the run goes on. */
  readonly end: EndEvent | undefined;
}

/** The state after one more event; nothing is known before the run's `start`. */
export function advance(state: RunState | undefined, event: TrainingEvent): RunState | undefined {
  if (event.type === 'start') {
    return { start: event, animator: bookAnimator(event.epochs), progress: undefined, findings: [], end: undefined };
  }
  if (state === undefined) return undefined;
  if (event.type === 'progress') return { ...state, progress: event };
  if (event.type === 'warning') return { ...state, findings: noteWarning(state.findings, event) };
  if (event.type === 'end') return { ...state, end: event };
  if (event.type === 'point') {
    state.animator.add(event.epoch, [event.trainLoss, event.trainAccuracy, event.testAccuracy]);
  }
  return state;
}

/** The curves with one provisional point more: the running averages of this moment, long before the next point. */
export function liveAnimator({ animator, progress, end }: RunState): Animator {
  if (progress === undefined || progress.phase !== 'train' || end !== undefined) return animator;
  const live = animator.copy();
  live.add(progress.epoch, [progress.loss, progress.accuracy]);
  return live;
}

/** The book's animator for a run of so many epochs. */
export function bookAnimator(epochs: number): Animator {
  return new Animator({ xlabel: 'epoch', xlim: [0, epochs], legend: ['train loss', 'train acc', 'test acc'] });
}
