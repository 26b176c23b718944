/** A view shows a training run to a person: it reads the stream of events and knows nothing else of the trainer. */
import type { WriteStream } from 'node:tty';
import type { TrainingEvent } from '../training/events.js';
import { PlainView } from './plainView.js';
import { TerminalView } from './terminalView.js';

export interface View {
  /** Shows what one event changes. Events come in the order of the trainer's stream. */
  onEvent(event: TrainingEvent): void;
  /**
   * Ends the view wherever the run is: the cursor is back, the last picture stays. Safe to call twice, and to be
   * called by a program about to die.
   */
  close(): void;
}

/** Where a view writes: `process.stdout`, `process.stderr`, or anything that can take text. */
export type ViewStream = NodeJS.WritableStream &
  Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows' | 'getColorDepth'>>;

export interface ViewOptions {
  /** The folder the run is saved in, named when the run is over. Default: none is named. */
  readonly runFolder?: string;
}

/**
 * The view that suits a stream: a live picture on a terminal, plain lines into a file or pipe (or on a terminal that
 * says it cannot move its cursor, `TERM=dumb`).
 */
export function createView(stream: ViewStream, options: ViewOptions = {}): View {
  const live = stream.isTTY === true && process.env.TERM !== 'dumb';
  return live ? new TerminalView(stream, options) : new PlainView(stream, options);
}
