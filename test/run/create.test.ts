/** Where a new run may be made: never over anything, but where a start was killed before there was a run. */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunFolder, SavedRun } from '../../src/run/runFolder.js';
import { temporaryFolder } from '../cli/nin.js';
import { QUICK_CONFIG } from './configs.js';
import { CHECKPOINTS, EVENTS, filesOf, leftovers } from './runs.js';

const folder = await temporaryFolder();
const HALF_CONFIG = 'config.json.0b6e1c1c-2f0e-4d5e-9a55-3d1f5b7c9e10.tmp';

function made(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

describe('a folder that a killed start has left', () => {
  it.each<[string, (path: string) => void]>([
    ['before it had anything', () => {}],
    ['before its configuration', (path) => mkdirSync(join(path, CHECKPOINTS))],
    [
      'while it wrote its configuration',
      (path) => {
        mkdirSync(join(path, CHECKPOINTS));
        writeFileSync(join(path, HALF_CONFIG), '{ "format": 1,');
      },
    ],
  ])('%s: a run is made there', async (name, leave) => {
    const path = made(name);
    leave(path);
    const run = await RunFolder.create(path, QUICK_CONFIG);
    run.close();
    expect(await new SavedRun(path).readConfig()).toEqual(QUICK_CONFIG);
    expect(Object.keys(filesOf(path)).sort()).toEqual(['config.json', EVENTS]);
    expect(leftovers(path)).toEqual([]);
  });
});

describe('a folder with anything else is refused, and nothing is changed', () => {
  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(join(path, 'thesis.txt'), 'precious')],
    ['a temporary file of another program', (path) => writeFileSync(join(path, 'thesis.tmp'), 'precious')],
    ['a copy of a configuration', (path) => writeFileSync(join(path, 'config.json.mine.tmp'), 'precious')],
    ['a folder named as half a configuration', (path) => mkdirSync(join(path, HALF_CONFIG))],
    ['a file named checkpoints', (path) => writeFileSync(join(path, CHECKPOINTS), 'precious')],
    ['checkpoints somewhere else', (path) => symlinkSync(made('somewhere else'), join(path, CHECKPOINTS))],
    [
      'checkpoints',
      (path) => {
        mkdirSync(join(path, CHECKPOINTS));
        writeFileSync(join(path, CHECKPOINTS, 'last.safetensors'), 'precious');
      },
    ],
    ['a run', (path) => writeFileSync(join(path, 'config.json'), '{}')],
  ])('%s', async (name, fill) => {
    const path = made(name);
    fill(path);
    const before = filesOf(path);
    await expect(RunFolder.create(path, QUICK_CONFIG)).rejects.toThrow(
      `${path} is not empty; give a new folder, so that no run is overwritten.`,
    );
    expect(filesOf(path)).toEqual(before);
  });
});

it('of two that begin in one such folder at once, one has it', async () => {
  const path = made('contested');
  mkdirSync(join(path, CHECKPOINTS));
  const begun = await Promise.allSettled([1, 2].map(() => RunFolder.create(path, QUICK_CONFIG)));
  const runs = begun.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const reasons = begun.flatMap((each) => (each.status === 'rejected' ? [`${each.reason.message}`] : []));
  expect(runs).toHaveLength(1);
  expect(reasons).toEqual([`The run in ${path} is being trained by another process; wait for it or stop it.`]);
  runs[0]?.close();
});

it('a start that fails gives its lock back', async () => {
  const path = made('failed');
  writeFileSync(join(path, 'thesis.txt'), 'precious');
  for (let i = 0; i < 2; i++) await expect(RunFolder.create(path, QUICK_CONFIG)).rejects.toThrow('is not empty');
});
