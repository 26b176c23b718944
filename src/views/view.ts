/** A view shows a training run to a person: it reads the stream of events and knows nothing else of the trainer. */
import type { WriteStream } from 'node:tty';
import type { TrainingEvent } from '../training/events.js';

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
