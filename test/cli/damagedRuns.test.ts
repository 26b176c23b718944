/** A run whose files are damaged or missing: one sentence that says which file and what is wrong, never a stack. */

import { cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectOneSentence, manyCommandLines, nin, type Outcome, TINY, temporaryFolder } from './nin.js';

const folder = await temporaryFolder();
const sound = join(folder, 'sound');
const CONFIG = 'config.json';
const WEIGHTS = 'weights.safetensors';

/** A part of a JSON value that can be changed in place. */
type Json = { [key: string]: Json };

beforeAll(async () => {
  const { code, stderr } = await nin([...TINY, '--max-steps', '1', '--test-examples', '1', '--out', sound]);
  expect(code, stderr).toBe(0);
});

/** Evaluates a copy of the run after damage; expects one sentence and returns it. */
async function evaluateDamaged(name: string, damage: (run: string) => Promise<unknown>): Promise<string> {
  const run = join(folder, name);
  await cp(sound, run, { recursive: true });
  await damage(run);
  const outcome = await nin(['evaluate', run, '--json']);
  expectOneSentence(outcome);
  return outcome.stderr;
}

/** Changes config.json by a function of its parsed value. */
const changeConfig = (change: (config: Json) => void) => async (run: string) => {
  const config = JSON.parse(await readFile(join(run, CONFIG), 'utf8')) as Json;
  change(config);
  await writeFile(join(run, CONFIG), JSON.stringify(config));
};

it('the undamaged run is evaluated', async () => {
  expect((await nin(['evaluate', sound, '--json'])).code).toBe(0);
});

describe('config.json', () => {
  it('missing', async () => {
    expect(await evaluateDamaged('noconfig', (run) => rm(join(run, CONFIG)))).toBe(
      `nin: ${join(folder, 'noconfig', CONFIG)} cannot be read (there is no such file or folder): ` +
        'is this the folder of a run?\n',
    );
  });

  it.each([
    ['empty', ''],
    ['cut', '{"format": 1, "training": {'],
    ['binary', '\u0000\u0001\u0002'],
  ])('%s', async (name, text) => {
    expect(await evaluateDamaged(name, (run) => writeFile(join(run, CONFIG), text))).toBe(
      `nin: ${join(folder, name, CONFIG)} is not valid JSON: the file is damaged.\n`,
    );
  });

  it.each<[string, string, (config: Json) => void]>([
    ['null', '', () => null],
    ['no-training', 'training', (config) => delete config.training],
    ['later-format', 'format', (config) => Object.assign(config, { format: 2 })],
    ['negative-batch', 'training.batchSize', ({ training }) => Object.assign(training ?? {}, { batchSize: -1 })],
    [
      'text-for-number',
      'training.learningRate',
      ({ training }) => Object.assign(training ?? {}, { learningRate: '1' }),
    ],
    ['foreign-key', '', (config) => Object.assign(config, { surprise: 1 })],
  ])('of the wrong shape: %s', async (name, where, change) => {
    const damage = name === 'null' ? (run: string) => writeFile(join(run, CONFIG), 'null') : changeConfig(change);
    const said = await evaluateDamaged(name, damage);
    expect(said).toContain(`nin: ${join(folder, name, CONFIG)} is not a run's configuration: ${where}`);
  });

  it.each<[string, Record<string, unknown>]>([
    ['an unknown layer', { type: 'Wormhole' }],
    ['a layer without its numbers', { type: 'Conv2d' }],
    ['layers that are no list', { type: 'Sequential', layers: 7 }],
  ])('with a network that cannot be: %s', async (name, net) => {
    await evaluateDamaged(
      name,
      changeConfig(({ training }) => Object.assign(training ?? {}, { net })),
    );
  });

  it('with an absurd network: neither evaluated nor, without a checkpoint, trained again; the record stays', async () => {
    const conv = { type: 'Conv2d', kernelSize: 1, stride: 1, padding: 0, bias: true };
    const end = [{ type: 'AdaptiveAvgPool2d', outputHeight: 1, outputWidth: 1 }, { type: 'Flatten' }];
    const convs: Record<string, unknown>[][] = [
      [{ ...conv, inChannels: 1, outChannels: 5 }],
      [{ ...conv, inChannels: 3, outChannels: 10 }],
      [{ ...conv, inChannels: 1, outChannels: 4e9 }],
      [
        { ...conv, inChannels: 1, outChannels: 1e6 },
        { ...conv, inChannels: 1e6, outChannels: 1e6 },
        { ...conv, inChannels: 1e6, outChannels: 10 },
      ],
      [{ ...conv, inChannels: 1, outChannels: 10, padding: 1e6 }],
    ];
    const runs = await Promise.all(
      convs.map(async (layers, i) => {
        const run = join(folder, `absurd${i}`);
        await cp(sound, run, { recursive: true });
        await rm(join(run, 'checkpoints'), { recursive: true });
        await changeConfig(({ training }) =>
          Object.assign(training ?? {}, { net: { type: 'Sequential', layers: [...layers, ...end] } }),
        )(run);
        return run;
      }),
    );
    const outcomes = await manyCommandLines(
      runs.flatMap((run) => [
        ['train', '--resume', run, '--json'],
        ['evaluate', run, '--json'],
      ]),
    );
    for (const [i, run] of runs.entries()) {
      for (const outcome of outcomes.slice(2 * i, 2 * i + 2) as Outcome[]) {
        expectOneSentence(outcome);
        expect(outcome.stderr).toContain(`nin: The network in ${join(run, CONFIG)} cannot be used: `);
      }
      expect(await readFile(join(run, 'events.jsonl'))).toEqual(await readFile(join(sound, 'events.jsonl')));
    }
  });

  it('with data that is no longer the same', async () => {
    const said = await evaluateDamaged(
      'otherdata',
      changeConfig(({ data }) => Object.assign(data ?? {}, { testChecksum: '0' })),
    );
    expect(said).toContain('The test data is not that of the run');
  });
});

describe('weights.safetensors', () => {
  it('missing', async () => {
    const said = await evaluateDamaged('noweights', (run) => rm(join(run, WEIGHTS)));
    expect(said).toContain(join(folder, 'noweights', WEIGHTS));
  });

  it.each([0, 4, 8, 1000, 4_000_000])('cut to %i bytes', async (bytes) => {
    await evaluateDamaged(`cut${bytes}`, (run) => truncate(join(run, WEIGHTS), bytes));
  });

  it('of another network', async () => {
    const said = await evaluateDamaged(
      'othernet',
      changeConfig(({ training }) => {
        Object.assign(training ?? {}, { net: { type: 'Sequential', layers: [{ type: 'Flatten' }] } });
      }),
    );
    expect(said.length).toBeLessThan(1000);
  });

  it('not safetensors at all', async () => {
    await evaluateDamaged('noise', (run) => writeFile(join(run, WEIGHTS), 'x'.repeat(100_000)));
  });
});

describe('the folder', () => {
  it('is not there, is empty, or is a file', async () => {
    await mkdir(join(folder, 'empty-folder'));
    for (const run of ['nowhere', 'empty-folder', join('sound', CONFIG)]) {
      const outcome = await nin(['evaluate', join(folder, run)]);
      expectOneSentence(outcome);
      expect(outcome.stderr).toContain(join(folder, run));
    }
  });
});
