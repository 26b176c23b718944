/**
 * Fashion-MNIST on this machine: where its four files are looked for, and the check that they are what they should be.
 * A folder the user names is the only place then; otherwise the package's own copy, the cache folder of the operating
 * system and the official addresses are tried in this order, file by file.
 */

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import envPaths from 'env-paths';
import { DataError } from './dataError.js';
import { type DownloadProgress, download } from './download.js';
import { FASHION_MNIST_CLASSES } from './fashionMnistClasses.js';
import { parseIdxImages, parseIdxLabels } from './idx.js';
import type { Dataset } from './types.js';
import { formatCount, type KnownFile, packedLimit, type Unpacked, unpack } from './unpack.js';

export { FASHION_MNIST_CLASSES, getFashionMnistLabels } from './fashionMnistClasses.js';

/** The four files by their content: the `.gz` around it differs from mirror to mirror. */
export const FASHION_MNIST_FILES = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    byteLength: 47_040_016,
    sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    byteLength: 60_008,
    sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    byteLength: 7_840_016,
    sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    byteLength: 10_008,
    sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  },
} as const satisfies Record<string, KnownFile>;

/** Where the files are looked for when the user names no folder. */
export interface FashionMnistSources {
  /** The copy that comes with the package. */
  readonly bundledFolder: string;
  /** Where downloads are kept. */
  readonly cacheFolder: string;
  /** Base addresses to download from, the best first. */
  readonly mirrors: readonly string[];
}

const DEFAULT_SOURCES: FashionMnistSources = {
  // The same two steps up lead from src/data and from dist/data to the package's root.
  bundledFolder: fileURLToPath(new URL('../../datasets/fashion-mnist', import.meta.url)),
  cacheFolder: join(envPaths('nin-network-in-network', { suffix: '' }).cache, 'fashion-mnist'),
  mirrors: [
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com',
  ],
};

export interface FashionMnistOptions {
  /**
   * Folder with the four idx files, gzipped or not. Default: the package's own copy, else the operating system's cache
   * folder, else they are downloaded.
   */
  readonly dataDir?: string;
  /** Told about a download, if one is needed. Default: nobody is. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Replaces the places looked at without `dataDir`, e.g. for a mirror of one's own. */
  readonly sources?: Partial<FashionMnistSources>;
}

/** Both splits of Fashion-MNIST, in the order of the official files. */
export interface FashionMnist {
  /** 60,000 examples. */
  readonly train: Dataset;
  /** 10,000 examples. */
  readonly test: Dataset;
}

/** What a folder has of a file: its path, and the content or what is wrong with it. */
type Found = { readonly path: string } & Unpacked;

/** Reads `file` from `folder`, gzipped or not; `undefined` where it has neither. */
async function readFrom(folder: string, file: KnownFile): Promise<Found | undefined> {
  for (const name of [`${file.name}.gz`, file.name]) {
    const path = join(folder, name);
    try {
      const { size } = await stat(path);
      const limit = packedLimit(file);
      if (size > limit) {
        return { path, problem: `has ${formatCount(size)} bytes, expected no more than ${formatCount(limit)}` };
      }
      return { path, ...(await unpack(await readFile(path), file)) };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') return { path, problem: `cannot be read (${message})` };
    }
  }
  return undefined;
}

async function readFromDataDir(dataDir: string, file: KnownFile): Promise<Uint8Array> {
  const found = await readFrom(resolve(dataDir), file);
  if (found === undefined) {
    throw new DataError(
      `The folder ${resolve(dataDir)} has neither ${file.name}.gz nor ${file.name}; ` +
        'give a folder with the four files of Fashion-MNIST as dataDir, or leave dataDir out.',
    );
  }
  if ('content' in found) return found.content;
  throw new DataError(
    `${found.path} ${found.problem}; it is damaged or not of Fashion-MNIST (the files of MNIST have the same names), ` +
      'replace it or leave dataDir out.',
  );
}

async function readFromSources(
  sources: FashionMnistSources,
  file: KnownFile,
  onProgress: FashionMnistOptions['onProgress'],
): Promise<Uint8Array> {
  const bundled = await readFrom(sources.bundledFolder, file);
  if (bundled !== undefined) {
    if ('content' in bundled) return bundled.content;
    throw new DataError(`${bundled.path} ${bundled.problem}; the installed package is damaged, install it again.`);
  }
  const cached = await readFrom(sources.cacheFolder, file);
  // A damaged file in the cache is simply fetched again: the cache is ours to mend.
  if (cached !== undefined && 'content' in cached) return cached.content;
  return download(file, {
    mirrors: sources.mirrors,
    folder: sources.cacheFolder,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/**
 * Reads Fashion-MNIST and checks that it is exactly the published data. Images and labels lie in shared memory, so
 * that sending them to a worker thread copies nothing.
 * @throws DataError where a file is missing, damaged, of other data, or cannot be downloaded
 */
export async function loadFashionMnist(options: FashionMnistOptions = {}): Promise<FashionMnist> {
  const { dataDir, onProgress } = options;
  const sources = { ...DEFAULT_SOURCES, ...options.sources };

  async function split(name: string, imagesFile: KnownFile, labelsFile: KnownFile): Promise<Dataset> {
    const read = (file: KnownFile) =>
      dataDir === undefined ? readFromSources(sources, file, onProgress) : readFromDataDir(dataDir, file);
    const images = parseIdxImages(await read(imagesFile), imagesFile.name);
    const labels = parseIdxLabels(await read(labelsFile), FASHION_MNIST_CLASSES.length, labelsFile.name);
    const checksum = createHash('sha256').update(images.images).update(labels).digest('hex');
    return { name, ...images, labels, classNames: FASHION_MNIST_CLASSES, checksum };
  }

  const { trainImages, trainLabels, testImages, testLabels } = FASHION_MNIST_FILES;
  return {
    train: await split('Fashion-MNIST train', trainImages, trainLabels),
    test: await split('Fashion-MNIST test', testImages, testLabels),
  };
}
