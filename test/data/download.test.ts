import { mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataError } from '../../src/data/dataError.js';
import { type DownloadOptions, type DownloadProgress, download } from '../../src/data/download.js';
import { Purpose, RandomStream } from '../../src/random/philox.js';
import { knownFile, sameBytes } from './idxFiles.js';
import { type Answer, file, hangUp, type Mirror, stall, startMirror, state } from './mirror.js';

// Neither compressible nor small: it travels in several pieces.
const random = new RandomStream(1, Purpose.initialisation);
const content = Uint8Array.from({ length: 300_000 }, () => random.uint32());
const wanted = knownFile('things', content);
const packed = gzipSync(content);
const other = gzipSync(content.map((byte) => byte ^ 1));

let folder: string;
const mirrors: Mirror[] = [];

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'nin-download-')), 'cache');
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()));
  await rm(join(folder, '..'), { recursive: true, force: true });
});

async function mirror(...answers: Answer[]): Promise<Mirror> {
  const started = await startMirror(...answers);
  mirrors.push(started);
  return started;
}

/** Downloads with patience for tests. */
function get(from: readonly Mirror[], options: Partial<DownloadOptions> = {}): Promise<Uint8Array> {
  const urls = from.map(({ url }) => url);
  return download(wanted, { mirrors: urls, folder, stallTimeout: 200, retryDelay: 10, ...options });
}

async function expectKept(): Promise<void> {
  expect(await readdir(folder)).toEqual(['things.gz']);
  expect(sameBytes(await readFile(join(folder, 'things.gz')), packed)).toBe(true);
}

async function expectNothingLeft(): Promise<void> {
  expect(await readdir(folder).catch(() => [])).toEqual([]);
}

describe('download', () => {
  it('gives the content and keeps the file', async () => {
    const server = await mirror(file(packed));
    expect(sameBytes(await get([server]), content)).toBe(true);
    expect(server.requests).toEqual(['/things.gz']);
    await expectKept();
  });

  it('tells how far it is', async () => {
    const told: DownloadProgress[] = [];
    await get([await mirror(file(packed))], { onProgress: (progress) => told.push(progress) });
    const total = packed.length;
    expect(told[0]).toEqual({ file: 'things.gz', bytesDone: 0, bytesTotal: total });
    expect(told.at(-1)).toEqual({ file: 'things.gz', bytesDone: total, bytesTotal: total });
    const done = told.map(({ bytesDone }) => bytesDone);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.length).toBeGreaterThan(2);
  });

  it('says that the total is unknown where the server does not say', async () => {
    const told: DownloadProgress[] = [];
    const chunked: Answer = (response) => {
      response.write(packed.subarray(0, 1000));
      response.end(packed.subarray(1000));
    };
    await get([await mirror(chunked)], { onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toEqual({ file: 'things.gz', bytesDone: packed.length, bytesTotal: null });
  });

  it('takes a file that the server unpacks on the way', async () => {
    const told: DownloadProgress[] = [];
    const server = await mirror((response) => {
      response.setHeader('content-encoding', 'gzip').setHeader('content-length', packed.length).end(packed);
    });
    expect(sameBytes(await get([server], { onProgress: (progress) => told.push(progress) }), content)).toBe(true);
    // The announced length is of the packed bytes, those counted are unpacked: no total is better than a wrong one.
    expect(told.at(-1)).toEqual({ file: 'things.gz', bytesDone: content.length, bytesTotal: null });
  });

  it.each([
    ['HTTP state 500', state(500)],
    ['HTTP state 429', state(429)],
    ['a stalled answer', () => {}],
    ['a stalled body', stall(packed, 1000)],
    ['a connection that breaks off', hangUp(packed, 1000)],
  ])('asks again after %s', async (_, trouble) => {
    const server = await mirror(trouble, trouble, file(packed));
    expect(sameBytes(await get([server]), content)).toBe(true);
    expect(server.requests.length).toBe(3);
    await expectKept();
  });

  it('waits longer before each new attempt', async () => {
    const times: number[] = [];
    const server = await mirror((response) => {
      times.push(performance.now());
      response.writeHead(503).end();
    });
    await expect(get([server], { retryDelay: 100, attempts: 3 })).rejects.toThrow(DataError);
    const [first, second, third] = times as [number, number, number];
    expect(second - first).toBeGreaterThan(95);
    expect(third - second).toBeGreaterThan(195);
    expect(times.length).toBe(3);
  });

  it('bears a slow mirror as long as bytes arrive', async () => {
    const slow: Answer = async (response) => {
      const pieces = 8;
      for (let i = 0; i < pieces; i++) {
        const [start, end] = [i, i + 1].map((k) => Math.floor((k * packed.length) / pieces));
        response.write(packed.subarray(start, end));
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      response.end();
    };
    // 480 ms in all, never 300 ms without a byte.
    expect(sameBytes(await get([await mirror(slow)], { stallTimeout: 300, attempts: 1 }), content)).toBe(true);
  });

  it.each([
    ['HTTP state 404', state(404)],
    ['other content', file(other)],
    ['a web page', file(new TextEncoder().encode('<!doctype html>Sign in to the network'))],
    ['a truncated file', file(packed.subarray(0, packed.length - 1))],
    ['an endless file', (response) => void response.write(new Uint8Array(4_000_000))],
  ] as [string, Answer][])('leaves a mirror with %s for the next at once', async (_, trouble) => {
    const [first, second] = [await mirror(trouble), await mirror(file(packed))];
    expect(sameBytes(await get([first, second]), content)).toBe(true);
    expect(first.requests.length).toBe(1);
    await expectKept();
  });

  it('leaves a mirror that stays out of reach for the next', async () => {
    const gone = await startMirror(state(500));
    await gone.close();
    expect(sameBytes(await get([gone, await mirror(file(packed))]), content)).toBe(true);
  });

  it('says what every mirror answered and leaves nothing behind', async () => {
    const gone = await startMirror(state(500));
    await gone.close();
    const [missing, stalled, wrong, broken] = [
      await mirror(state(404)),
      await mirror(stall(packed, 500)),
      await mirror(file(other)),
      await mirror(hangUp(packed, 1000)),
    ];
    const all = [missing, stalled, wrong, broken, gone];
    const error: Error = await get(all, { attempts: 1 }).then(
      () => expect.fail('the download should fail'),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain('things.gz could not be downloaded: ');
    expect(error.message).toContain(`${missing.url}/things.gz answered with HTTP state 404; `);
    expect(error.message).toContain(`${stalled.url}/things.gz sent nothing for 0.2 seconds; `);
    expect(error.message).toContain(`${wrong.url}/things.gz sent a file that has the sha256 `);
    expect(error.message).toContain(`${broken.url}/things.gz failed (`);
    expect(error.message).toMatch(/things\.gz failed \(.*ECONNREFUSED.*\)\. Check the network, or /);
    expect(error.message).toContain('as dataDir');
    await expectNothingLeft();
  });

  it('removes the half-written file where the disk is full', async () => {
    const probe = await open(new URL(import.meta.url), 'r');
    await probe.close();
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const files: string[][] = [];
    vi.spyOn(Object.getPrototypeOf(probe), 'writeFile').mockImplementationOnce(async () => {
      files.push(await readdir(folder));
      throw full;
    });
    const failing = get([await mirror(file(packed))]);
    await expect(failing).rejects.toThrow(
      `The download cannot be kept at ${join(folder, 'things.gz')} (ENOSPC: no space left on device, write); make room`,
    );
    await expect(failing).rejects.toBeInstanceOf(DataError);
    // While it was written there was a temporary file, and only that.
    expect(files).toEqual([[expect.stringMatching(/^things\.gz\..+\.tmp$/)]]);
    await expectNothingLeft();
  });

  it('removes the written file where it cannot be moved into place', async () => {
    await mkdir(join(folder, 'things.gz', 'occupied'), { recursive: true });
    await expect(get([await mirror(file(packed))])).rejects.toThrow(/cannot be kept at .*things\.gz/);
    expect(await readdir(folder)).toEqual(['things.gz']);
  });

  it('lets several download the same file at the same time', async () => {
    const server = await mirror(file(packed));
    const contents = await Promise.all(Array.from({ length: 6 }, () => get([server])));
    for (const one of contents) expect(sameBytes(one, content)).toBe(true);
    expect(server.requests.length).toBe(6);
    await expectKept();
  });

  it("passes on the listener's own error", async () => {
    const server = await mirror(file(packed));
    const onProgress = () => {
      throw new RangeError('the bar is full');
    };
    await expect(get([server], { onProgress })).rejects.toThrow(RangeError);
    expect(server.requests.length).toBe(1);
    await expectNothingLeft();
  });
});
