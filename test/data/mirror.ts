/** A mirror on this machine: an http server whose answers a test writes down, one per request. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Sends a whole file. */
export function file(bytes: Uint8Array): Answer {
  return (response) => {
    response.setHeader('content-length', bytes.length).end(bytes);
  };
}

/** Sends an HTTP state and nothing else. */
export function state(code: number): Answer {
  return (response) => {
    response.writeHead(code).end('not the file');
  };
}

/** Promises a whole file, sends some of it, and then nothing more. */
export function stall(bytes: Uint8Array, sent: number): Answer {
  return (response) => {
    response.setHeader('content-length', bytes.length);
    response.write(bytes.subarray(0, sent));
  };
}

/** Promises a whole file, sends some of it, and hangs up. */
export function hangUp(bytes: Uint8Array, sent: number): Answer {
  return (response) => {
    response.setHeader('content-length', bytes.length);
    response.write(bytes.subarray(0, sent), () => response.destroy());
  };
}

export interface Mirror {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Starts a mirror; the last answer is given again and again. */
export async function startMirror(...answers: readonly Answer[]): Promise<Mirror> {
  const requests: string[] = [];
  const listener: RequestListener = (request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request.url ?? '');
    answer?.(response, request);
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
