/** Shows a download: a bar on a terminal, one line a file elsewhere. */

import { Chalk } from 'chalk';
import { createLogUpdate } from 'log-update';
import type { DownloadProgress } from '../data/download.js';
import { bar } from './bar.js';
import { millions } from './format.js';
import type { ViewStream } from './view.js';

const BAR = 30;

export class DownloadView {
  readonly #stream: ViewStream;
  readonly #paint: InstanceType<typeof Chalk>;
  #live: ReturnType<typeof createLogUpdate> | undefined;
  #file: string | undefined;

  constructor(stream: ViewStream) {
    this.#stream = stream;
    this.#paint = new Chalk({ level: (stream.getColorDepth?.() ?? 1) > 1 ? 1 : 0 });
  }

  onProgress({ file, bytesDone, bytesTotal }: DownloadProgress): void {
    if (this.#stream.isTTY !== true) {
      if (file !== this.#file) this.#stream.write(`downloading ${file}\n`);
      this.#file = file;
      return;
    }
    this.#live ??= createLogUpdate(this.#stream, { showCursor: true });
    const share = bytesTotal === null ? 0 : bytesDone / bytesTotal;
    const total = bytesTotal === null ? '' : ` of ${millions(bytesTotal)}B`;
    this.#live(`downloading ${file} ${bar(share, BAR, this.#paint.cyan, this.#paint)} ${millions(bytesDone)}B${total}`);
  }

  /** Leaves the last picture where it is. */
  close(): void {
    this.#live?.done();
  }
}
