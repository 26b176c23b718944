/**
 * The browser's `Worker`, as much of it as jax-js uses, over Node's threads. jax-js computes on several threads only
 * where it finds a global `Worker`, which Node has not: without this it would be measured on one thread.
 */

import { resolveObjectURL } from 'node:buffer';
import { Worker as Thread } from 'node:worker_threads';

const threads = [];

/** Gives the worker's program the globals that it expects of a browser. */
const browserGlobals = `
  const { parentPort } = require('node:worker_threads');
  globalThis.self = globalThis;
  globalThis.postMessage = (message) => parentPort.postMessage(message);
  parentPort.on('message', (data) => self.onmessage({ data }));
`;

class WebWorker {
  onmessage = () => {};
  onerror = () => {};
  #thread;

  constructor(url) {
    this.#thread = this.#start(url);
  }

  async #start(url) {
    const program = await resolveObjectURL(url).text();
    const thread = new Thread(browserGlobals + program, { eval: true });
    thread.on('message', (data) => this.onmessage({ data }));
    thread.on('error', (error) => this.onerror(error));
    threads.push(thread);
    return thread;
  }

  async postMessage(message) {
    (await this.#thread).postMessage(message);
  }
}

/** To be called before jax-js is imported: as many workers as it takes from `hardwareConcurrency`, and none for a single thread. */
export function offerThreads(count) {
  if (count === 1) return;
  globalThis.Worker = WebWorker;
  // Node 20 has no navigator, and later ones tell the machine's number, not ours.
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: count }, configurable: true });
}

/** Threads that wait for work would keep the program from ending. */
export const endThreads = () => Promise.all(threads.map((thread) => thread.terminate()));
