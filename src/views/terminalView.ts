/**
 * The view for a terminal: a head printed once, below it a picture redrawn in place (log-update), which after the
 * last event stays with the book's closing lines under it. A notice is printed once, above the picture.
 *
 * A window that changes size moves the lines already on it about, each terminal in its own way. So after a resize the
 * visible part of the window is wiped and drawn anew, head, latest notices and all; what has scrolled off it is left
 * alone.
 */
import ansiEscapes from 'ansi-escapes';
import { Chalk, type ChalkInstance } from 'chalk';
import cliCursor from 'cli-cursor';
import { createLogUpdate } from 'log-update';
import type { TrainingEvent } from '../training/events.js';
import { farewell } from './closing.js';
import { printable, wrap } from './format.js';
import { headerLines } from './header.js';
import { advance, type RunState } from './runState.js';
import { type FrameSize, terminalFrame } from './terminalFrame.js';
import type { View, ViewOptions, ViewStream } from './view.js';

/** Shortest time between two pictures, in milliseconds. */
const INTERVAL = 100;

/** The picture shares the window with the head if this many lines are left for it; otherwise the head scrolls off. */
const COMFORTABLE = 14;

/** Notices that are printed again after a resize. */
const KEPT_NOTICES = 3;

export class TerminalView implements View {
  readonly #stream: ViewStream;
  readonly #options: ViewOptions;
  readonly #paint: ChalkInstance;
  readonly #live: ReturnType<typeof createLogUpdate>;
  #state: RunState | undefined;
  #timer: NodeJS.Timeout | undefined;
  #notices: readonly string[] = [];
  /** Lines of the picture on the screen. */
  #lines = 0;
  #lastDrawn = Number.NEGATIVE_INFINITY;
  #resized = false;
  #isOpen = false;

  constructor(stream: ViewStream, options: ViewOptions = {}) {
    this.#stream = stream;
    this.#options = options;
    // The stream itself knows what its terminal can show, and minds NO_COLOR and FORCE_COLOR.
    this.#paint = new Chalk({ level: (stream.getColorDepth?.() ?? 1) > 1 ? 1 : 0 });
    // The cursor is ours to hide: log-update would hide it on stderr whichever stream it draws on.
    this.#live = createLogUpdate(stream, { showCursor: true });
  }

  onEvent(event: TrainingEvent): void {
    if (event.type === 'notice') this.#notice(printable(event.message));
    this.#state = advance(this.#state, event);
    if (this.#state === undefined) return;
    if (event.type === 'start') this.#open(this.#state);
    else if (event.type === 'end') this.#finish(this.#state);
    else if (event.type === 'point' || event.type === 'progress' || event.type === 'warning') this.#drawSoon();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#draw();
    this.#live.done();
    this.#release();
  }

  #open(state: RunState): void {
    this.#isOpen = true;
    cliCursor.hide(this.#stream);
    this.#stream.on('resize', this.#onResize);
    this.#stream.write(this.#head(state));
    this.#draw();
  }

  /** Prints a notice above the picture, or just so while there is none. */
  #notice(message: string): void {
    if (!this.#isOpen) {
      this.#stream.write(`${message}\n`);
      return;
    }
    this.#notices = [...this.#notices, message].slice(-KEPT_NOTICES);
    if (this.#resized) {
      // The window is about to be drawn anew, this notice with it.
      this.#draw();
      return;
    }
    this.#live.persist(this.#noticeLines([message]).join('\n'));
    this.#lines = 0;
    this.#draw();
  }

  #noticeLines(messages: readonly string[]): string[] {
    return messages.flatMap((message) => wrap(message, this.#window.width)).map((line) => this.#paint.cyan(line));
  }

  #finish(state: RunState): void {
    if (!this.#isOpen) return;
    const { end, start, findings } = state;
    // The last picture is written as ordinary text, which the terminal may scroll and wrap from now on.
    if (this.#resized) this.#wipe(state);
    this.#live.clear();
    const lines = [...this.#frame(state), ''];
    if (end !== undefined) {
      const { classNames } = start;
      const { runFolder } = this.#options;
      const { width } = this.#window;
      lines.push(...farewell(end.result, { classNames, findings, runFolder, width }, this.#paint));
    }
    this.#stream.write(`${lines.join('\n')}\n`);
    this.#release();
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isOpen = false;
    this.#stream.removeListener('resize', this.#onResize);
    cliCursor.show(this.#stream);
  }

  readonly #onResize = (): void => {
    this.#resized = true;
    this.#drawSoon();
  };

  /** Draws now, or as soon as the last picture is old enough. */
  #drawSoon(): void {
    if (!this.#isOpen || this.#timer !== undefined) return;
    const wait = this.#lastDrawn + INTERVAL - performance.now();
    if (wait <= 0) {
      this.#draw();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, wait);
    // A picture that is due is no reason to keep a finished program alive.
    this.#timer.unref();
  }

  #draw(): void {
    if (this.#state === undefined) return;
    this.#lastDrawn = performance.now();
    if (this.#resized) this.#wipe(this.#state);
    const lines = this.#frame(this.#state);
    // log-update takes lines that have moved up or down for lines that stayed.
    if (lines.length !== this.#lines) this.#live.clear();
    this.#lines = lines.length;
    this.#live(lines.join('\n'));
  }

  /**
   * Clears the window line by line, which unlike clearing the screen pushes nothing into its history. Draws the head
   * and the latest notices again if there is room for both, otherwise the notices there is room for.
   */
  #wipe(state: RunState): void {
    this.#resized = false;
    this.#live.done();
    this.#lines = 0;
    const { height } = this.#window;
    const blank = Array.from({ length: height }, () => ansiEscapes.eraseLine);
    const home = ansiEscapes.cursorTo(0, 0);
    const room = height - this.#frame(state).length - 1;
    const head = this.#headLines(state);
    const notices = this.#noticeLines(this.#notices);
    const above = [head.concat(notices), notices].find((lines) => lines.length <= room) ?? [];
    this.#stream.write(home + blank.join('\n') + home + above.map((line) => `${line}\n`).join(''));
  }

  #head(state: RunState): string {
    return `${this.#headLines(state).join('\n')}\n`;
  }

  #headLines({ start }: RunState): string[] {
    return [...headerLines(start, this.#paint, this.#window.width), ''];
  }

  #frame(state: RunState): string[] {
    const { width, height } = this.#window;
    // The line below the picture belongs to the cursor.
    const below = height - this.#headLines(state).length - 1;
    return terminalFrame(state, { width, height: below >= COMFORTABLE ? below : height - 1 }, this.#paint);
  }

  /** Lines and columns to draw in. The last column stays empty: some terminals wrap as soon as it is filled. */
  get #window(): FrameSize {
    return { width: Math.max(1, (this.#stream.columns || 80) - 1), height: this.#stream.rows || 24 };
  }
}
