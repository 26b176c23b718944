/**
 * Fetches a file of known content from the first mirror that has it. A mirror that is out of reach, stalls or says it
 * is overloaded is asked again, a little later each time; one that has the wrong content or none is left for the next.
 * Nothing is trusted but the checksum, so mirrors without https are as good as others.
 *
 * The files are small: each is fetched and checked in memory and reaches the disk only when it is right.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataError } from './dataError.js';
import { saveAtomically } from './saveAtomically.js';
import { formatCount, type KnownFile, packedLimit, unpack } from './unpack.js';

/** How far a download is: what a progress bar needs. */
export interface DownloadProgress {
  /** Name of the file, e.g. `train-images-idx3-ubyte.gz`. */
  readonly file: string;
  /** Bytes that have arrived; starts again from 0 where an attempt failed. */
  readonly bytesDone: number;
  /** Bytes to come in all; `null` where the server does not say. */
  readonly bytesTotal: number | null;
}

export interface DownloadOptions {
  /** Base addresses, the best first; `<mirror>/<file name>.gz` is fetched. */
  readonly mirrors: readonly string[];
  /** Where the file is kept, as `<file name>.gz`; made where it is missing. */
  readonly folder: string;
  /** Called when an attempt is answered and whenever bytes arrive. Default: nobody is told. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Milliseconds without a byte after which a connection counts as stalled. Default 30,000. */
  readonly stallTimeout?: number;
  /** How often one mirror is asked. Default 3. */
  readonly attempts?: number;
  /** Milliseconds before a mirror is asked again; doubles each time. Default 1,000. */
  readonly retryDelay?: number;
}

/** HTTP states that pass: request timeout, too early, too many requests. All of 500 and above pass too. */
const PASSING_STATES: readonly number[] = [408, 425, 429];

/** Why an attempt came to nothing. */
class AttemptFailure extends Error {
  constructor(
    message: string,
    /** Whether the same mirror may do better later. */
    readonly passing: boolean,
  ) {
    super(message);
  }
}

/** Names the network's trouble: fetch says only `fetch failed` and hides the reason in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  if (!(cause instanceof Error)) return message;
  return cause.message || ((cause as NodeJS.ErrnoException).code ?? message);
}

/** The pieces of a body as they arrive, each with the length that the server announced for the whole. */
async function* receive(
  url: string,
  stallTimeout: number,
): AsyncGenerator<{ piece: Uint8Array; bytesTotal: number | null }> {
  const connection = new AbortController();
  const stalled = new AttemptFailure(`sent nothing for ${stallTimeout / 1000} seconds`, true);
  const timer = setTimeout(() => connection.abort(stalled), stallTimeout);
  try {
    // Asked not to compress once more, a server can say how long the body is.
    const response = await fetch(url, { signal: connection.signal, headers: { 'accept-encoding': 'identity' } });
    if (!response.ok) {
      const passing = response.status >= 500 || PASSING_STATES.includes(response.status);
      throw new AttemptFailure(`answered with HTTP state ${response.status}`, passing);
    }
    const plain = response.headers.get('content-encoding') === null;
    const announced = plain ? Number(response.headers.get('content-length')) : 0;
    const bytesTotal = announced > 0 ? announced : null;
    yield { piece: new Uint8Array(0), bytesTotal };
    if (response.body === null) return;
    for await (const piece of response.body) {
      timer.refresh();
      yield { piece, bytesTotal };
    }
  } catch (error) {
    throw error instanceof AttemptFailure ? error : new AttemptFailure(`failed (${reasonOf(error)})`, true);
  } finally {
    clearTimeout(timer);
    // Ends a connection whose remaining bytes nobody wants.
    connection.abort();
  }
}

/** One attempt at one mirror: the stored bytes and the content they hold. */
async function attempt(
  url: string,
  file: KnownFile,
  options: DownloadOptions,
): Promise<{ stored: Uint8Array; content: Uint8Array }> {
  const limit = packedLimit(file);
  const pieces: Uint8Array[] = [];
  let bytesDone = 0;
  for await (const { piece, bytesTotal } of receive(url, options.stallTimeout ?? 30_000)) {
    bytesDone += piece.length;
    if (bytesDone > limit) throw new AttemptFailure(`sent more than ${formatCount(limit)} bytes`, false);
    pieces.push(piece);
    options.onProgress?.({ file: `${file.name}.gz`, bytesDone, bytesTotal });
  }
  const stored = Buffer.concat(pieces);
  const unpacked = await unpack(stored, file);
  if ('problem' in unpacked) throw new AttemptFailure(`sent a file that ${unpacked.problem}`, false);
  return { stored, content: unpacked.content };
}

/**
 * Downloads `file` and keeps it in `options.folder`. Two processes may do so at the same time.
 * @returns the content, unpacked and checked, in shared memory
 * @throws DataError where no mirror has the file or it cannot be kept; then no part of it is left behind
 */
export async function download(file: KnownFile, options: DownloadOptions): Promise<Uint8Array> {
  const { mirrors, folder, attempts = 3, retryDelay = 1_000 } = options;
  const failures: string[] = [];
  for (const mirror of mirrors) {
    const url = `${mirror.replace(/\/$/, '')}/${file.name}.gz`;
    for (let tried = 1; tried <= attempts; tried++) {
      try {
        const { stored, content } = await attempt(url, file, options);
        await keep(join(folder, `${file.name}.gz`), stored);
        return content;
      } catch (error) {
        if (!(error instanceof AttemptFailure)) throw error;
        if (error.passing && tried < attempts) {
          await sleep(retryDelay * 2 ** (tried - 1));
          continue;
        }
        failures.push(`${url} ${error.message}`);
        break;
      }
    }
  }
  throw new DataError(
    `${file.name}.gz could not be downloaded: ${failures.join('; ') || 'no mirror was given'}. ` +
      'Check the network, or get the files of Fashion-MNIST another way and give their folder as dataDir.',
  );
}

async function keep(path: string, stored: Uint8Array): Promise<void> {
  try {
    await saveAtomically(path, stored);
  } catch (error) {
    throw new DataError(
      `The download cannot be kept at ${path} (${(error as Error).message}); make room or allow writing there, ` +
        'or give a folder that holds the files as dataDir.',
    );
  }
}
