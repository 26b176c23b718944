import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/dataError.js';
import type { DownloadProgress } from '../../src/data/download.js';
import {
  FASHION_MNIST_CLASSES,
  FASHION_MNIST_FILES,
  type FashionMnist,
  type FashionMnistSources,
  getFashionMnistLabels,
  loadFashionMnist,
} from '../../src/data/fashionMnist.js';
import { sameBytes } from './idxFiles.js';
import { type Mirror, startMirror, state } from './mirror.js';

const bundledFolder = fileURLToPath(new URL('../../datasets/fashion-mnist', import.meta.url));
const names = Object.values(FASHION_MNIST_FILES).map(({ name }) => name);
const nowhere: FashionMnistSources = { bundledFolder: '/nowhere', cacheFolder: '/nowhere', mirrors: [] };

let data: FashionMnist;
let folder: string;
const mirrors: Mirror[] = [];

beforeAll(async () => {
  data = await loadFashionMnist();
  folder = await mkdtemp(join(tmpdir(), 'nin-fashion-'));
});
afterEach(async () => {
  await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()));
  await rm(folder, { recursive: true });
  await mkdir(folder);
});
afterAll(() => rm(folder, { recursive: true }));

/** The loader's own checksum proves nothing here: the bytes are compared. */
function expectSame(loaded: FashionMnist): void {
  for (const split of ['train', 'test'] as const) {
    expect(sameBytes(loaded[split].images, data[split].images)).toBe(true);
    expect(sameBytes(loaded[split].labels, data[split].labels)).toBe(true);
    expect(loaded[split].checksum).toBe(data[split].checksum);
  }
}

/** A folder that links to the true files, but for some. */
async function folderWithout(...missing: string[]): Promise<string> {
  const made = await mkdtemp(join(folder, 'data-'));
  for (const name of names) {
    if (!missing.includes(name)) await symlink(join(bundledFolder, `${name}.gz`), join(made, `${name}.gz`));
  }
  return made;
}

/** Serves the true files. */
async function officialMirror(): Promise<Mirror> {
  const mirror = await startMirror(async (response, request) => {
    response.end(await readFile(join(bundledFolder, request.url ?? '')));
  });
  mirrors.push(mirror);
  return mirror;
}

describe('the data that comes with the package', () => {
  it('is Fashion-MNIST', () => {
    const { train, test } = data;
    expect([train.length, train.height, train.width, train.images.length]).toEqual([60_000, 28, 28, 47_040_000]);
    expect([test.length, test.height, test.width, test.images.length]).toEqual([10_000, 28, 28, 7_840_000]);
    expect([...train.labels.subarray(0, 10)]).toEqual([9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
    expect([...test.labels.subarray(0, 10)]).toEqual([9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);
    expect([train.name, test.name]).toEqual(['Fashion-MNIST train', 'Fashion-MNIST test']);
  });

  it('has as many examples of every class', () => {
    for (const { labels, length, classNames } of [data.train, data.test]) {
      const counts = new Array(10).fill(0);
      for (const label of labels) counts[label]++;
      expect(counts).toEqual(new Array(10).fill(length / 10));
      expect(classNames).toEqual(FASHION_MNIST_CLASSES);
    }
  });

  it('has the mean and deviation known of its pixels', () => {
    const { images } = data.train;
    let sum = 0;
    let squares = 0;
    for (const pixel of images) {
      sum += pixel;
      squares += pixel * pixel;
    }
    const mean = sum / images.length;
    expect(mean / 255).toBeCloseTo(0.286, 4);
    expect(Math.sqrt(squares / images.length - mean * mean) / 255).toBeCloseTo(0.353, 4);
  });

  it('lies in shared memory', () => {
    for (const { images, labels } of [data.train, data.test]) {
      expect(images.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(labels.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  });

  it('is named by its checksum', () => {
    expect(data.train.checksum).toBe('16d82e2b505296aa2b78bd5ea0992634f30419a4c97def7c907d154a35ac6157');
    expect(data.test.checksum).toBe('9f1ec356a747bfe4ebab3cfb722d3694c9ca737e2570f6f90cf31d7b6fd689d4');
  });

  it('comes with its licence', async () => {
    expect(await readFile(join(bundledFolder, 'LICENSE'), 'utf8')).toContain('Copyright (c) 2017 Zalando SE');
  });
});

describe('dataDir', () => {
  it('takes gzipped and plain files side by side', async () => {
    const { testImages, trainLabels } = FASHION_MNIST_FILES;
    const dataDir = await folderWithout(testImages.name, trainLabels.name);
    for (const { name } of [testImages, trainLabels]) {
      await writeFile(join(dataDir, name), gunzipSync(await readFile(join(bundledFolder, `${name}.gz`))));
    }
    expectSame(await loadFashionMnist({ dataDir, sources: nowhere }));
  });

  it.each(names)('is refused without %s', async (name) => {
    const dataDir = await folderWithout(name);
    await expect(loadFashionMnist({ dataDir })).rejects.toThrow(
      new DataError(
        `The folder ${dataDir} has neither ${name}.gz nor ${name}; ` +
          'give a folder with the four files of Fashion-MNIST as dataDir, or leave dataDir out.',
      ),
    );
  });

  it('is refused where it does not exist, or is a file', async () => {
    const gone = join(folder, 'gone');
    await expect(loadFashionMnist({ dataDir: gone })).rejects.toThrow(`The folder ${gone} has neither`);
    await expect(loadFashionMnist({ dataDir: import.meta.filename })).rejects.toThrow(/has neither/);
  });

  it('is refused with a file of other content, naming both checksums', async () => {
    const { name, byteLength, sha256 } = FASHION_MNIST_FILES.trainLabels;
    const dataDir = await folderWithout(name);
    const path = join(dataDir, `${name}.gz`);
    await writeFile(path, gzipSync(new Uint8Array(byteLength)));
    await expect(loadFashionMnist({ dataDir })).rejects.toThrow(
      new DataError(
        `${path} has the sha256 ab9c527a07fd56897fd547178ce89a604360e3cb54dd21504bd3c71ad1e489ad, ` +
          `expected ${sha256}; it is damaged or not of Fashion-MNIST (the files of MNIST have the same names), ` +
          'replace it or leave dataDir out.',
      ),
    );
  });

  it('is refused with a truncated file, gzipped or plain', async () => {
    const { name } = FASHION_MNIST_FILES.trainImages;
    const dataDir = await folderWithout(name);
    const packed = join(dataDir, `${name}.gz`);
    await copyFile(join(bundledFolder, `${name}.gz`), packed);
    await truncate(packed, 20_000_000);
    await expect(loadFashionMnist({ dataDir })).rejects.toThrow(
      `${packed} cannot be unpacked (unexpected end of file); it is damaged`,
    );
    await rm(packed);
    await writeFile(join(dataDir, name), new Uint8Array(1000));
    await expect(loadFashionMnist({ dataDir })).rejects.toThrow(
      `${join(dataDir, name)} holds 1,000 bytes, expected 47,040,016; it is damaged`,
    );
  });

  it('is refused with a file too large, before it is read', async () => {
    const { name } = FASHION_MNIST_FILES.trainImages;
    const dataDir = await folderWithout(name);
    await writeFile(join(dataDir, name), '');
    // A sparse file: it has this size, but no bytes on the disk.
    await truncate(join(dataDir, name), 2 ** 40);
    await expect(loadFashionMnist({ dataDir })).rejects.toThrow('has 1,099,511,627,776 bytes, expected no more than');
  });

  it('is refused with a folder where a file should be', async () => {
    const { name } = FASHION_MNIST_FILES.trainImages;
    const dataDir = await folderWithout(name);
    await mkdir(join(dataDir, `${name}.gz`));
    await expect(loadFashionMnist({ dataDir })).rejects.toThrow(/train-images-idx3-ubyte\.gz cannot be read \(EISDIR/);
  });
});

describe('without dataDir', () => {
  it('downloads what is missing into the cache, and next time reads it there', async () => {
    const mirror = await officialMirror();
    const cacheFolder = await folderWithout(FASHION_MNIST_FILES.testLabels.name, FASHION_MNIST_FILES.trainLabels.name);
    const sources = { ...nowhere, cacheFolder, mirrors: [mirror.url] };
    const told: DownloadProgress[] = [];
    const onProgress = (progress: DownloadProgress) => void told.push(progress);
    expectSame(await loadFashionMnist({ sources, onProgress }));
    expect(mirror.requests).toEqual(['/train-labels-idx1-ubyte.gz', '/t10k-labels-idx1-ubyte.gz']);
    expect(told.at(-1)).toMatchObject({ file: 't10k-labels-idx1-ubyte.gz', bytesDone: 5125 });
    expect((await readdir(cacheFolder)).sort()).toEqual(names.map((name) => `${name}.gz`).sort());
    expectSame(await loadFashionMnist({ sources: { ...sources, mirrors: [] } }));
  });

  it('mends a damaged cache', async () => {
    const mirror = await officialMirror();
    const { name } = FASHION_MNIST_FILES.trainLabels;
    const cacheFolder = await folderWithout(name);
    await writeFile(join(cacheFolder, `${name}.gz`), 'half a fi');
    const sources = { ...nowhere, cacheFolder, mirrors: [mirror.url] };
    expectSame(await loadFashionMnist({ sources }));
    expect(mirror.requests.length).toBe(1);
    const mended = await readFile(join(cacheFolder, `${name}.gz`));
    expect(sameBytes(mended, await readFile(join(bundledFolder, `${name}.gz`)))).toBe(true);
  });

  it('says so where the package itself is damaged', async () => {
    const { name } = FASHION_MNIST_FILES.trainImages;
    const damaged = await folderWithout(name);
    await writeFile(join(damaged, `${name}.gz`), 'half a fi');
    await expect(loadFashionMnist({ sources: { bundledFolder: damaged } })).rejects.toThrow(
      `${join(damaged, name)}.gz holds 9 bytes, expected 47,040,016; the installed package is damaged, install it again.`,
    );
  });

  it('says so where nothing has the data', async () => {
    const mirror = await startMirror(state(404));
    mirrors.push(mirror);
    const sources = { ...nowhere, cacheFolder: folder, mirrors: [mirror.url] };
    await expect(loadFashionMnist({ sources })).rejects.toThrow(
      new DataError(
        `train-images-idx3-ubyte.gz could not be downloaded: ${mirror.url}/train-images-idx3-ubyte.gz answered with ` +
          'HTTP state 404. Check the network, or get the files of Fashion-MNIST another way and give their folder as dataDir.',
      ),
    );
  });
});

describe('getFashionMnistLabels', () => {
  it('gives the text labels of the book', () => {
    expect(getFashionMnistLabels(Uint8Array.of(9, 0, 0, 3, 6))).toEqual([
      'ankle boot',
      't-shirt',
      't-shirt',
      'dress',
      'shirt',
    ]);
    expect(getFashionMnistLabels([1, 2, 4, 5, 7, 8])).toEqual([
      'trouser',
      'pullover',
      'coat',
      'sandal',
      'sneaker',
      'bag',
    ]);
  });

  it('refuses what is no label', () => {
    expect(() => getFashionMnistLabels([3, 10])).toThrow(
      new DataError('Label 10 is no class of Fashion-MNIST; give 0 to 9.'),
    );
  });
});
