/** `nin train` and `nin evaluate` as a user runs them: real training, seconds long, and what it prints and saves. */

import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { XMLValidator } from 'fast-xml-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors } from '../../src/nn/safetensors.js';
import type { EpochEvent, RecordedEvent, StartEvent, StepEvent } from '../../src/training/events.js';
import {
  expectOneSentence,
  hasControlCharacters,
  jsonLine,
  nin,
  type Outcome,
  ROOT,
  startNin,
  TINY,
  temporaryFolder,
  until,
} from './nin.js';

const folder = await temporaryFolder();

/** Long enough to tell some classes apart: a network that says the same of every image would prove little. */
const LEARNING = [...TINY, '--epochs', '3', '--lr', '0.02', '--json'];
const STEPS = 24;
const STEPS_PER_EPOCH = 8;

const train = (out: string, ...options: string[]) => nin([...TINY, ...options, '--json', '--out', join(folder, out)]);

async function readEvents(out: string): Promise<RecordedEvent[]> {
  const lines = (await readFile(join(folder, out, 'events.jsonl'), 'utf8')).split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as RecordedEvent);
}

const stepsOf = (events: readonly RecordedEvent[]) =>
  events.filter((event): event is StepEvent => event.type === 'step');

/** Every file under a folder: its bytes and when it was last written. */
async function snapshot(path: string): Promise<Record<string, { bytes: string; writtenAt: number }>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const states = files.map(async (file) => {
    const bytes = (await readFile(file)).toString('latin1');
    return [relative(path, file), { bytes, writtenAt: statSync(file).mtimeMs }] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}

let first: Outcome;
let second: Outcome;
let result: Record<string, unknown>;

beforeAll(async () => {
  [first, second] = (await Promise.all(
    ['first', 'second'].map((out) => nin([...LEARNING, '--out', join(folder, out)])),
  )) as [Outcome, Outcome];
  expect(first.code, first.stderr).toBe(0);
  result = jsonLine(first.stdout);
}, 120_000);

describe('a run', () => {
  it('prints one JSON line with its figures', () => {
    const { loss, trainAccuracy, testAccuracy, perClassAccuracy, examplesPerSecond, seconds, ...rest } = result;
    expect(rest).toMatchObject({
      steps: STEPS,
      epochs: 3,
      device: 'cpu',
      threads: 1,
      seed: 0,
      preset: 'quick',
      run: join(folder, 'first'),
    });
    expect(rest).not.toHaveProperty('state');
    expect(loss).toBeGreaterThan(0);
    // Guessing has 2.30 and 0.1.
    expect(loss).toBeLessThan(2.2);
    expect(trainAccuracy).toBeGreaterThan(0.2);
    expect(testAccuracy).toBeGreaterThan(0.15);
    expect((testAccuracy as number) * 64).toBe(Math.round((testAccuracy as number) * 64));
    expect(perClassAccuracy).toHaveLength(10);
    expect((perClassAccuracy as number[]).filter((share) => share > 0 && share <= 1).length).toBeGreaterThan(2);
    expect(examplesPerSecond).toBeGreaterThan(1);
    expect(seconds).toBeGreaterThan((256 * 3) / (examplesPerSecond as number) - 0.001);
  });

  it("tells people on standard error, in plain lines, and ends with the book's", () => {
    expect(hasControlCharacters(first.stderr)).toBe(false);
    expect(first.stderr).toMatch(/^training on cpu\n/);
    const { loss, trainAccuracy, testAccuracy, examplesPerSecond } = result as Record<string, number>;
    expect(first.stderr).toContain(
      `\nloss ${loss?.toFixed(3)}, train acc ${trainAccuracy?.toFixed(3)}, test acc ${testAccuracy?.toFixed(3)}\n` +
        `${examplesPerSecond?.toFixed(1)} examples/sec on cpu\n`,
    );
    expect(first.stderr).toMatch(new RegExp(`\nsaved in ${join(folder, 'first')}\n$`));
  });

  it('saves its configuration, events, curves, weights and figures', async () => {
    const path = join(folder, 'first');
    const json = async (name: string): Promise<Record<string, unknown>> =>
      JSON.parse(await readFile(join(path, name), 'utf8'));

    expect(await json('config.json')).toMatchObject({
      training: { preset: 'quick', batchSize: 32, epochs: 3, learningRate: 0.02, seed: 0, transform: { resize: 67 } },
      data: { dir: null, trainExamples: 256, testExamples: 64 },
      engine: { device: 'cpu', threads: 1 },
    });
    const { run: _, ...figures } = result;
    expect(await json('result.json')).toEqual({ ...figures, state: 'done' });
    expect(XMLValidator.validate(await readFile(join(path, 'curves.svg'), 'utf8'))).toBe(true);

    const { tensors } = decodeSafetensors(await readFile(join(path, 'weights.safetensors')));
    expect(tensors.get('0.0.weight')?.shape).toEqual([96, 1, 11, 11]);
    for (const [name, { data }] of tensors) expect(data.every(Number.isFinite), name).toBe(true);
  });

  it('records its steps, points and epochs', async () => {
    const events = await readEvents('first');
    const start = events[0] as StartEvent;
    expect(start).toMatchObject({ type: 'start', trainExamples: 256, imageSize: [67, 67], totalSteps: STEPS });
    expect(stepsOf(events).map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    const epochs = events.filter((event): event is EpochEvent => event.type === 'epoch');
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(epochs.at(-1)).toMatchObject({
      trainLoss: result.loss,
      trainAccuracy: result.trainAccuracy,
      testAccuracy: result.testAccuracy,
      perClassAccuracy: result.perClassAccuracy,
    });
    // The mean over the last epoch is what the book prints.
    const last = stepsOf(events).slice(-STEPS_PER_EPOCH);
    expect(last.reduce((sum, { loss }) => sum + loss, 0) / STEPS_PER_EPOCH).toBeCloseTo(result.loss as number, 6);
  });

  it('is the same to the last bit when it is trained again', async () => {
    expect(second.code, second.stderr).toBe(0);
    for (const file of ['events.jsonl', 'weights.safetensors', 'config.json', 'curves.svg']) {
      const [one, other] = await Promise.all(['first', 'second'].map((out) => readFile(join(folder, out, file))));
      expect(one?.equals(other as Buffer), file).toBe(true);
    }
  });
});

describe('evaluate', () => {
  it("reproduces the run's test accuracy exactly, in all and per class", async () => {
    const { code, stdout, stderr } = await nin(['evaluate', join(folder, 'first'), '--json']);
    expect(code, stderr).toBe(0);
    const { testAccuracy, perClassAccuracy } = result;
    const run = join(folder, 'first');
    expect(jsonLine(stdout)).toEqual({ testAccuracy, perClassAccuracy, testExamples: 64, run });
    expect(hasControlCharacters(stderr)).toBe(false);
  });

  it('without --json prints a table on standard output', async () => {
    const { code, stdout, stderr } = await nin(['evaluate', 'first', '--threads', '1'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`test acc ${(result.testAccuracy as number).toFixed(3)} on 64 examples\n`);
    const sandal = (result.perClassAccuracy as number[])[5] as number;
    expect(stdout).toMatch(new RegExp(`^ +sandal +${sandal.toFixed(3)} `, 'm'));
    expect(hasControlCharacters(stdout)).toBe(false);
  });

  it('takes as many test examples as it is told', async () => {
    const { stdout } = await nin(['evaluate', 'first', '--test-examples', '100', '--json'], { cwd: folder });
    const { testExamples, testAccuracy } = jsonLine(stdout) as Record<string, number>;
    expect(testExamples).toBe(100);
    expect((testAccuracy as number) * 100).toBeCloseTo(Math.round((testAccuracy as number) * 100), 9);
  });
});

describe('options', () => {
  it('--max-steps ends the run early; --seed makes another one', async () => {
    const [same, other] = await Promise.all([
      train('max', '--max-steps', '2'),
      train('seed', '--max-steps', '2', '--seed', '1'),
    ]);
    expect(jsonLine(same?.stdout ?? '')).toMatchObject({ steps: 2, epochs: 2 / STEPS_PER_EPOCH, seed: 0 });
    expect(jsonLine(other?.stdout ?? '')).toMatchObject({ steps: 2, seed: 1 });
    // The first loss is before any update: of the seed's weights and examples alone.
    const [first, max, seed] = await Promise.all(
      ['first', 'max', 'seed'].map(async (out) => stepsOf(await readEvents(out))[0]?.loss),
    );
    expect(max).toBe(first);
    expect(seed).not.toBe(first);
  });

  it('--epochs may be fractional, and the run ends with an evaluation', async () => {
    const { code, stdout, stderr } = await train('fraction', '--epochs', '0.375');
    expect(code, stderr).toBe(0);
    const figures = jsonLine(stdout);
    expect(figures).toMatchObject({ steps: 3, epochs: 0.375 });
    expect(figures.testAccuracy).toEqual(expect.any(Number));
    expect((await readEvents('fraction')).at(-1)).toMatchObject({ type: 'epoch', epoch: 0.375 });
  });

  it('--test-examples 0 skips evaluation', async () => {
    const { code, stdout, stderr } = await train('untested', '--max-steps', '1', '--test-examples', '0');
    expect(code, stderr).toBe(0);
    expect(jsonLine(stdout)).toMatchObject({ steps: 1, testAccuracy: null, perClassAccuracy: null });
    expect(stderr).not.toContain('test acc');
    const evaluated = await nin(['evaluate', join(folder, 'untested'), '--test-examples', '32', '--json']);
    expect(jsonLine(evaluated.stdout)).toMatchObject({ testExamples: 32, testAccuracy: expect.any(Number) });
  });

  it('without --out a run gets a new folder in runs/; without --json all words are on standard output', async () => {
    const cwd = join(folder, 'elsewhere');
    await mkdir(cwd);
    const { code, stdout, stderr } = await nin([...TINY, '--max-steps', '1'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [run, ...others] = await readdir(join(cwd, 'runs'));
    expect(others).toEqual([]);
    expect(run).toMatch(/^\d{4}-\d{2}-\d{2}-\d{6}-quick$/);
    expect(stdout).toMatch(/^training on cpu\n/);
    expect(stdout).toMatch(new RegExp(`\nsaved in runs/${run}\n$`));
    expect(hasControlCharacters(stdout)).toBe(false);
  });
});

it('a run goes on when nobody reads what it prints', async () => {
  const run = join(folder, 'unread');
  const training = startNin([...TINY, '--max-steps', '3', '--out', run]);
  await Promise.race([until(() => training.stdout() !== ''), training.outcome]);
  training.closeStdout();
  expect(await training.outcome).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(await readFile(join(run, 'result.json'), 'utf8'))).toMatchObject({ state: 'done', steps: 3 });
});

it.skipIf(!existsSync('/dev/full'))('a run goes on when the disk has no room for what it prints', async () => {
  const run = join(folder, 'unprinted');
  const script = 'exec "$0" "$@" > /dev/full';
  const command = [process.execPath, join(ROOT, 'dist', 'cli', 'main.js'), ...TINY, '--max-steps', '3', '--out', run];
  const { status, stderr } = spawnSync('sh', ['-c', script, ...command], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 1, stderr: 'nin: The output cannot be written: the disk is full.\n' });
  expect(JSON.parse(await readFile(join(run, 'result.json'), 'utf8'))).toMatchObject({ state: 'done', steps: 3 });
});

describe('what cannot be done is refused, and nothing is changed', () => {
  it('training into the folder of a run', async () => {
    const before = await snapshot(join(folder, 'first'));
    const outcome = await nin([...LEARNING, '--out', join(folder, 'first')]);
    expectOneSentence(outcome);
    expect(outcome.stderr).toBe(
      `nin: ${join(folder, 'first')} is not empty; give a new folder, so that no run is overwritten.\n`,
    );
    expect(await snapshot(join(folder, 'first'))).toEqual(before);
  });

  it('training into a folder with a foreign file, or into a file', async () => {
    const mine = join(folder, 'mine');
    await mkdir(mine);
    await writeFile(join(mine, 'thesis.txt'), 'precious');
    expectOneSentence(await train('mine'));
    const outcome = await train('mine/thesis.txt');
    expectOneSentence(outcome);
    expect(outcome.stderr).toContain(join(mine, 'thesis.txt'));
    expect(Object.keys(await snapshot(mine))).toEqual(['thesis.txt']);
    expect(await readFile(join(mine, 'thesis.txt'), 'utf8')).toBe('precious');
  });

  it('data that is not there', async () => {
    const outcome = await train('nodata', '--data-dir', join(folder, 'nowhere'));
    expectOneSentence(outcome);
    expect(outcome.stderr).toContain(join(folder, 'nowhere'));
    expect(existsSync(join(folder, 'nodata'))).toBe(false);
  });

  it('images too small for the network', async () => {
    const outcome = await train('small', '--resize', '66');
    expectOneSentence(outcome);
    expect(outcome.stderr).toContain('Layer 5, MaxPool2d(3, stride=2), cannot take an input of 1x384x2x2.');
    expect(existsSync(join(folder, 'small'))).toBe(false);
  });
});
