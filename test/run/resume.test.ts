/**
 * Going on with a run: after a signal, a crash, damage or a full disk it comes to the end of the run that was never
 * disturbed, to the last byte, or it says in a sentence why it cannot.
 */

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeCheckpoint } from '../../src/run/checkpoint.js';
import {
  expectOneSentence,
  jsonLine,
  manyCommandLines,
  nin,
  type Outcome,
  ROOT,
  startNin,
  startNode,
  temporaryFolder,
  until,
} from '../cli/nin.js';
import {
  CHECKPOINTS,
  EVENTS,
  EVERY_STEP,
  expectSameEnd,
  filesOf,
  LAST,
  leftovers,
  PREVIOUS,
  reachStep,
  SMALL,
  stepsRecorded,
} from './runs.js';

const folder = await temporaryFolder();
/** 2 epochs of 8 steps. */
const RUN = [...SMALL, '--train-examples', '128', '--test-examples', '64', '--epochs', '2'];
const TOTAL = 16;
const uninterrupted = join(folder, 'uninterrupted');
/** Interrupted in its second epoch, with checkpoints of two steps. */
const interrupted = join(folder, 'interrupted');
let interruptedAt = 0;

const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
/** Loaded before the command, it makes a disk that is full. */
const FULL_DISK = join(ROOT, 'test', 'run', 'fullDisk.mjs');
const checkpointUnsaved = (run: string) =>
  `The checkpoint cannot be saved in ${run}: the disk is full. The one before it is intact.`;

const goOn = (run: string, ...options: string[]): Promise<Outcome> => nin([...SMALL, '--resume', run, ...options]);

/** Goes on with a run to the end of the undisturbed one, and returns what it said. */
async function goOnToTheEnd(run: string): Promise<string> {
  const { code, stdout, stderr } = await goOn(run);
  expect(code, stderr).toBe(0);
  expect(jsonLine(stdout)).toMatchObject({ steps: TOTAL, run });
  await expectSameEnd(run, uninterrupted);
  return stderr;
}

/** A file system of so many megabytes, where this machine lets a test make one. */
function smallDisk(name: string, megabytes: number): { path: string; grow: (megabytes: number) => void } | undefined {
  const path = join(folder, name);
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  afterAll(() => {
    execFileSync('umount', ['--lazy', path]);
  });
  return { path, grow: (size) => execFileSync('mount', ['-o', `remount,size=${size}m`, path]) };
}

/** Room for two checkpoints. */
const disk = smallDisk('disk', 35);

/** A copy of the interrupted run. */
function copy(name: string): string {
  const run = join(folder, name);
  cpSync(interrupted, run, { recursive: true });
  return run;
}

/** Changes one byte of a file. */
function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 0x10;
  writeFileSync(path, bytes);
}

beforeAll(async () => {
  const whole = nin([...RUN, '--out', uninterrupted]);
  const training = startNin([...RUN, ...EVERY_STEP, '--out', interrupted]);
  await reachStep(training, interrupted, 9);
  const earlier = join(folder, 'earlier.safetensors');
  copyFileSync(join(interrupted, PREVIOUS), earlier);
  training.kill('SIGINT');
  const outcome = await training.outcome;
  expect(outcome.code, outcome.stderr).toBe(130);
  // After every step and once more at the end, the last two are of one step.
  renameSync(earlier, join(interrupted, PREVIOUS));
  interruptedAt = stepsRecorded(interrupted);
  expect(interruptedAt).toBeLessThan(TOTAL);
  expect((await whole).code).toBe(0);
}, 120_000);

describe('after a signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s', async (signal) => {
    const run = join(folder, signal);
    const training = startNin([...RUN, '--out', run]);
    await reachStep(training, run, 3);
    training.kill(signal);
    const { code, stdout, stderr } = await training.outcome;
    expect(code, stderr).toBe(130);
    const { steps } = jsonLine(stdout);
    expect(stderr).toContain('Stopping after this step and saving');
    expect(stderr).toContain(`\ninterrupted after ${steps} steps`);
    expect(stderr).toMatch(new RegExp(`\nsaved in ${run}\n$`));

    expect(await goOnToTheEnd(run)).toMatch(new RegExp(`^Going on after step ${steps}\\.\n`));
  });

  it('SIGINT again and again, after each start', async () => {
    const run = copy('often');
    for (let step = interruptedAt + 1; step <= interruptedAt + 2; step++) {
      const training = startNin([...SMALL, '--resume', run]);
      await reachStep(training, run, step);
      training.kill('SIGINT');
      const { code, stderr } = await training.outcome;
      expect(code, stderr).toBe(130);
    }
    await goOnToTheEnd(run);
  });

  it('SIGINT during an evaluation: it is made again', async () => {
    const evaluating = [...SMALL, '--train-examples', '32', '--test-examples', '1000', '--epochs', '2'];
    const [run, whole] = [join(folder, 'evaluating'), join(folder, 'evaluated')];
    const reference = nin([...evaluating, '--out', whole]);
    const training = startNin([...evaluating, '--out', run]);
    // The evaluation follows the second step and takes seconds.
    await reachStep(training, run, 2);
    training.kill('SIGINT');
    const { code, stdout, stderr } = await training.outcome;
    expect(code, stderr).toBe(130);
    expect(jsonLine(stdout)).toMatchObject({ steps: 2, epochs: 1, testAccuracy: null, perClassAccuracy: null });
    expect(readFileSync(join(run, EVENTS), 'utf8')).not.toContain('"type":"epoch"');

    expect((await reference).code).toBe(0);
    const resumed = await goOn(run);
    expect(resumed.code, resumed.stderr).toBe(0);
    await expectSameEnd(run, whole);
  });
});

describe('after a crash', () => {
  it('before the first checkpoint: it starts again', async () => {
    const run = join(folder, 'early');
    const training = startNin([...RUN, '--out', run]);
    await reachStep(training, run, 3);
    training.kill('SIGKILL');
    expect((await training.outcome).code).toBe(137);
    expect(await goOnToTheEnd(run)).toMatch(/^There is no checkpoint yet: starting again\.\n/);
  });

  it('that cut the record within a line, beyond the checkpoint', async () => {
    const run = copy('halfline');
    writeFileSync(join(run, EVENTS), '{"type":"step","st', { flag: 'a' });
    await goOnToTheEnd(run);
  });

  it('between the two renames of a checkpoint', async () => {
    const run = copy('renames');
    renameSync(join(run, LAST), join(run, `${LAST}.new`));
    await goOnToTheEnd(run);
  });

  it('in the middle of a write: its leftovers go', async () => {
    const run = copy('leftovers');
    for (const name of [`${LAST}.new.1.tmp`, 'weights.safetensors.2.tmp']) writeFileSync(join(run, name), 'half');
    await goOnToTheEnd(run);
    expect(leftovers(run)).toEqual([]);
  });
});

describe('a finished run', () => {
  it('prints its closing lines again and stays as it is', async () => {
    const run = join(folder, 'finished');
    cpSync(uninterrupted, run, { recursive: true });
    const before = filesOf(run);
    const { code, stdout, stderr } = await goOn(run);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/\nloss \d\.\d{3}, train acc 0\.\d{3}, test acc 0\.\d{3}\n[\d.]+ examples\/sec on cpu\n/);
    expect(stderr).toMatch(new RegExp(`\nsaved in ${run}\n$`));
    const { run: _, seconds, ...figures } = jsonLine(stdout);

    const { 'result.json': resultBefore, ...othersBefore } = before;
    const { 'result.json': resultAfter, ...othersAfter } = filesOf(run);
    expect(othersAfter).toEqual(othersBefore);
    const [first, second] = [resultBefore, resultAfter].map(
      (file) => JSON.parse(file?.toString() ?? '') as Record<string, unknown>,
    );
    // The clock of the run is read at its last checkpoint and not after it.
    expect(Math.abs((first?.seconds as number) - (seconds as number))).toBeLessThan(2);
    expect(second).toEqual({ ...first, seconds });
    expect(second).toEqual({ ...figures, state: 'done', seconds });
  });
});

describe('a damaged checkpoint', () => {
  it('any byte of a real one that is changed, and any end that is missing, is seen', () => {
    const intact = readFileSync(join(interrupted, LAST));
    expect(() => decodeCheckpoint(intact)).not.toThrow();
    const at = fc.oneof(fc.nat(intact.length - 1), fc.nat(10_000));
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 255 }), (place, change) => {
        const value = intact[place] as number;
        intact[place] = value ^ change;
        expect(() => decodeCheckpoint(intact)).toThrow();
        intact[place] = value;
        expect(() => decodeCheckpoint(intact.subarray(0, place))).toThrow();
      }),
      { numRuns: 60 },
    );
    expect(() => decodeCheckpoint(intact)).not.toThrow();
  });

  it.each<[string, (path: string) => void]>([
    ['cut short', (path) => truncateSync(path, 10_000_000)],
    ['empty', (path) => truncateSync(path, 0)],
    ['with a wrong byte in its header', (path) => flipByte(path, 400)],
    ['with a wrong byte in its weights', (path) => flipByte(path, 5_000_000)],
    ['with a wrong last byte', (path) => flipByte(path, readFileSync(path).length - 1)],
  ])('%s: the one before is used', async (name, damage) => {
    const run = copy(name);
    damage(join(run, LAST));
    const { snapshot } = decodeCheckpoint(readFileSync(join(run, PREVIOUS)));
    expect(snapshot.progress.step).toBeLessThan(interruptedAt);
    const said = await goOnToTheEnd(run);
    expect(said).toMatch(new RegExp(`^${join(run, LAST)} was not used: [^\n]+\\.\n`));
    expect(said).toContain(`\nGoing on after step ${snapshot.progress.step}.\n`);
  });

  it('that is a folder: the one before is used', async () => {
    const run = copy('folder');
    rmSync(join(run, LAST));
    mkdirSync(join(run, LAST));
    const { stderr } = await goOn(run);
    expect(stderr).toMatch(new RegExp(`^${join(run, LAST)} was not used: it is a folder\\.?\n`));
    expect(stepsRecorded(run)).toBe(TOTAL);
  });

  it('both of them: one sentence, and nothing is changed', async () => {
    const run = copy('both');
    flipByte(join(run, LAST), 5_000_000);
    truncateSync(join(run, PREVIOUS), 1000);
    const before = filesOf(run);
    const outcome = await goOn(run);
    expectOneSentence(outcome);
    expect(outcome.stderr).toContain(`The run in ${run} has no checkpoint that is whole.`);
    for (const path of [LAST, PREVIOUS]) expect(outcome.stderr).toContain(`${join(run, path)} was not used: `);
    expect(filesOf(run)).toEqual(before);
  });

  it('of another run, and another version: refused', async () => {
    const run = copy('foreign');
    writeFileSync(join(run, LAST), readFileSync(join(run, 'weights.safetensors')));
    rmSync(join(run, PREVIOUS));
    expectOneSentence(await goOn(run));
  });
});

describe('a damaged record', () => {
  it('where both checkpoints rely on it: one sentence, and nothing is changed', async () => {
    const run = copy('record');
    flipByte(join(run, EVENTS), 700);
    const before = filesOf(run);
    const outcome = await goOn(run);
    expectOneSentence(outcome);
    expect(outcome.stderr).toContain(`${EVENTS} is not the record that it belongs to`);
    expect(filesOf(run)).toEqual(before);
  });

  it('where only the last checkpoint relies on it: the one before is used', async () => {
    const run = copy('endofrecord');
    const [previous, last] = [PREVIOUS, LAST].map((name) => decodeCheckpoint(readFileSync(join(run, name))).events);
    expect(previous?.bytes).toBeLessThan(last?.bytes ?? 0);
    flipByte(join(run, EVENTS), (previous?.bytes ?? 0) + 5);
    expect(await goOnToTheEnd(run)).toContain(`${join(run, LAST)} was not used: ${EVENTS} is not the record`);
  });

  it('cut short or gone: one sentence', async () => {
    const run = copy('norecord');
    for (const damage of [truncateSync, rmSync]) {
      damage(join(run, EVENTS));
      expectOneSentence(await goOn(run));
    }
  });
});

describe('another configuration', () => {
  /** Changes the text of config.json, which stays a configuration. */
  function change(run: string, from: string | RegExp, to: string): void {
    const path = join(run, 'config.json');
    const text = readFileSync(path, 'utf8');
    expect(text.replace(from, to)).not.toBe(text);
    writeFileSync(path, text.replace(from, to));
  }

  it.each<[string, string | RegExp, string]>([
    ['a digit of the learning rate', '"learningRate": 0.1', '"learningRate": 0.3'],
    ['fewer steps than were made', '"maxSteps": null', '"maxSteps": 1'],
    ['another layer', /\{\s*"type": "Flatten"\s*\}/, '{"type": "ReLU"}'],
    ['fewer examples', '"trainExamples": 128', '"trainExamples": 112'],
  ])('%s: one sentence, and nothing is changed', async (name, from, to) => {
    const run = copy(name);
    change(run, from, to);
    const before = filesOf(run);
    const outcome = await goOn(run);
    expectOneSentence(outcome);
    expect(outcome.stderr).toContain('its config.json is not the one it was started with');
    expect(filesOf(run)).toEqual(before);
  });

  it('written in another way is the same one', async () => {
    const run = copy('compact');
    change(run, /\s+/g, ' ');
    await goOnToTheEnd(run);
  });
});

describe('options', () => {
  it('that would change the run are refused by name, with both values', async () => {
    const given: [string, string, string][] = [
      ['--epochs', '3', 'epochs was 2, now it is 3'],
      ['--lr', '0.5', 'lr was 0.1, now it is 0.5'],
      ['--seed', '1', 'seed was 0, now it is 1'],
      ['--batch-size', '17', 'batchSize was 16, now it is 17'],
      ['--resize', '81', 'resize was 80, now it is 81'],
      ['--train-examples', '129', 'trainExamples was 128, now it is 129'],
      ['--test-examples', '0', 'testExamples was 64, now it is 0'],
      ['--max-steps', '5', 'maxSteps was not given, now it is 5'],
      ['--preset', 'd2l', 'preset was quick, now it is d2l'],
      ['--out', 'elsewhere', `A resumed run stays where it is, in ${interrupted}; leave --out away.`],
    ];
    const before = filesOf(interrupted);
    const outcomes = await manyCommandLines(
      given.map(([option, value]) => ['train', '--resume', interrupted, option, value]),
    );
    for (const [i, [option, , conflict]] of given.entries()) {
      const { code, stdout, stderr } = outcomes[i] as Outcome;
      expect({ option, code, stdout }).toEqual({ option, code: 2, stdout: '' });
      expect(stderr).toMatch(/^nin: [^\n]+\n$/);
      expect(stderr).toContain(conflict);
    }
    expect(filesOf(interrupted)).toEqual(before);
  });

  it('that are what they were are taken', async () => {
    const run = copy('same');
    const { code, stderr } = await nin([...RUN, '--resume', run, '--lr', '0.1', '--seed', '0']);
    expect(code, stderr).toBe(0);
    await expectSameEnd(run, uninterrupted);
  });

  it('another number of threads is taken, with a word on what it means', async () => {
    const run = copy('threads');
    const { code, stdout, stderr } = await nin(['train', '--resume', run, '--threads', '2', '--json']);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /\nThe run so far was computed by .+ on cpu with 1 threads, from here on by .+ on cpu with 2: [^\n]+\n/,
    );
    expect(jsonLine(stdout)).toMatchObject({ steps: TOTAL, threads: 2 });
    expect((await goOn(copy('onethread'))).stderr).not.toContain('bit for bit');
  });
});

describe('one process at a time', () => {
  const run = join(folder, 'locked');
  const refusal = `nin: The run in ${run} is being trained by another process; wait for it or stop it.\n`;

  it('a second is refused while the first lives, and not when it was killed', async () => {
    // Minutes long, if nothing stopped it.
    const first = startNin([...RUN.slice(0, -1), '100', '--out', run]);
    await reachStep(first, run, 1);
    const second = await goOn(run);
    expectOneSentence(second);
    expect(second.stderr).toBe(refusal);
    first.kill('SIGKILL');
    expect((await first.outcome).code).toBe(137);

    const third = startNin([...SMALL, '--resume', run]);
    await Promise.race([until(() => third.stderr().includes('training on cpu')), third.outcome]);
    third.kill('SIGINT');
    expect((await third.outcome).code).toBe(130);
  });

  it('of two that start at once, one trains', async () => {
    const both = [startNin([...SMALL, '--resume', run]), startNin([...SMALL, '--resume', run])];
    const refused = await Promise.race(both.map(({ outcome }) => outcome));
    expectOneSentence(refused);
    expect(refused.stderr).toBe(refusal);
    for (const each of both) each.kill('SIGINT');
    const codes = (await Promise.all(both.map(({ outcome }) => outcome))).map(({ code }) => code);
    expect(codes.sort()).toEqual([1, 130]);
  });
});

describe('what cannot be saved', () => {
  it('checkpoints in the middle of a run: it is said, training goes on, and the checkpoint before is intact', async () => {
    const run = join(folder, 'blocked');
    const training = startNin([...RUN, ...EVERY_STEP, '--out', run]);
    await reachStep(training, run, 4);
    const [checkpoints, aside] = [join(run, CHECKPOINTS), join(folder, 'aside')];
    renameSync(checkpoints, aside);
    writeFileSync(checkpoints, 'in the way');
    const { code, stdout, stderr } = await training.outcome;
    expect(code, stderr).toBe(0);
    expect(jsonLine(stdout)).toMatchObject({ steps: TOTAL });
    const said = `The checkpoint cannot be saved in ${run}: a file of that name is in the way. The one before it is intact.`;
    expect(stderr).toContain(said);
    expect(leftovers(run)).toEqual([]);
    await expectSameEnd(run, uninterrupted);

    rmSync(checkpoints);
    renameSync(aside, checkpoints);
    expect(await goOnToTheEnd(run)).toMatch(/^Going on after step [1-9]\d*\.\n/);
  });

  it('a run in a place that cannot be: one sentence', async () => {
    writeFileSync(join(folder, 'file'), '');
    const out = join(folder, 'file', 'run');
    const outcome = await nin([...RUN, '--out', out]);
    expectOneSentence(outcome);
    expect(outcome.stderr).toBe(`nin: The run cannot be saved in ${out}: a part of the path is a file.\n`);
  });
});

describe('a full disk', () => {
  it('that takes two checkpoints and no more: training goes on, and both are intact', async () => {
    const run = join(folder, 'fulldisk');
    const { code, stdout, stderr } = await startNode(
      ['--import', FULL_DISK, MAIN, ...RUN, ...EVERY_STEP, '--out', run],
      { env: { CHECKPOINTS_THAT_FIT: '2' } },
    ).outcome;
    expect(code, stderr).toBe(0);
    expect(jsonLine(stdout)).toMatchObject({ steps: TOTAL });
    expect(stderr.split(checkpointUnsaved(run)).length - 1).toBeGreaterThanOrEqual(TOTAL - 2);
    expect(leftovers(run)).toEqual([]);
    await expectSameEnd(run, uninterrupted);
    for (const [name, step] of [[PREVIOUS, 1] as const, [LAST, 2] as const]) {
      expect(decodeCheckpoint(readFileSync(join(run, name))).snapshot.progress.step).toBe(step);
    }
    expect(await goOnToTheEnd(run)).toMatch(/^Going on after step 2\.\n/);
  });

  it.each<[string, readonly string[]]>([
    ['after a checkpoint', EVERY_STEP],
    ['before the first checkpoint', []],
  ])(
    'that takes no more events, %s: a sentence says where the run stands, and it goes on from there',
    async (name, options) => {
      const run = join(folder, `norecord ${name}`);
      const { code, stdout, stderr } = await startNode(
        ['--import', FULL_DISK, MAIN, ...RUN, ...options, '--out', run],
        {
          env: { EVENT_BYTES_THAT_FIT: '1500' },
        },
      ).outcome;
      expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' });
      // It is full in the middle of a line.
      const record = readFileSync(join(run, EVENTS), 'utf8');
      expect(record).toHaveLength(1500);
      expect(record).not.toMatch(/\n$/);
      expect(leftovers(run)).toEqual([]);
      const last = join(run, LAST);
      const step = existsSync(last) ? decodeCheckpoint(readFileSync(last)).snapshot.progress.step : 0;
      expect(step > 0).toBe(options === EVERY_STEP);
      const where =
        step > 0
          ? `goes on from its last checkpoint, after step ${step}`
          : 'starts the run again, as it has no checkpoint yet';
      expect(stderr.slice(stderr.indexOf('nin: '))).toBe(
        `nin: The events cannot be written to ${join(run, EVENTS)}: the disk is full. ` +
          `When that is mended, \`nin train --resume ${run}\` ${where}.\n`,
      );
      expect(await goOnToTheEnd(run)).toContain(step > 0 ? `Going on after step ${step}.\n` : 'starting again.\n');
    },
  );

  if (disk) {
    it('that is real and has no room for the weights either: one sentence, and later it goes on', async () => {
      const run = join(disk.path, 'run');
      const { code, stdout, stderr } = await nin([...RUN, ...EVERY_STEP, '--out', run]);
      expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(checkpointUnsaved(run));
      expect(stderr).toContain(
        `\nnin: The run cannot be saved in ${run}: the disk is full. When that is mended, ` +
          `\`nin train --resume ${run}\` goes on from its last checkpoint, after step 2.\n`,
      );
      expect(stepsRecorded(run)).toBe(TOTAL);
      expect(leftovers(run)).toEqual([]);

      disk.grow(200);
      expect(await goOnToTheEnd(run)).toMatch(/^Going on after step 2\.\n/);
    });
  }
});
