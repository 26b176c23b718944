/** Chooses how a run is shown. */

import { PlainView } from './plainView.js';
import { TerminalView } from './terminalView.js';
import type { View, ViewOptions, ViewStream } from './view.js';

/**
 * The view that suits a stream: a live picture on a terminal, plain lines into a file or pipe (or on a terminal that
 * says it cannot move its cursor, `TERM=dumb`).
 */
export function createView(stream: ViewStream, options: ViewOptions = {}): View {
  const live = stream.isTTY === true && process.env.TERM !== 'dumb';
  return live ? new TerminalView(stream, options) : new PlainView(stream, options);
}
