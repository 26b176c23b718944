/**
 * A run that is killed again and again comes to the same end as one that never was. The process gets SIGKILL at
 * random moments: while it starts, trains, evaluates, and above all while it writes checkpoints, as it writes one
 * after every step.
 *
 * `NIN_KILLS` is the number of kills, 25 without it.
 */

import { existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Purpose, RandomStream } from '../../src/random/philox.js';
import { nin, startNin, temporaryFolder, until } from '../cli/nin.js';
import {
  CHECKPOINTS,
  EVERY_STEP,
  expectSameEnd,
  LAST,
  leftovers,
  PREVIOUS,
  reachStep,
  SMALL,
  stepsRecorded,
} from './runs.js';

const KILLS = Number(process.env.NIN_KILLS ?? 25);
const STEPS_PER_EPOCH = 20;
const STEPS_PER_KILL = 2.4;
const EPOCHS = Math.ceil((KILLS * STEPS_PER_KILL) / STEPS_PER_EPOCH);
const TOTAL = EPOCHS * STEPS_PER_EPOCH;
const DATA = ['--train-examples', '320', '--test-examples', '64', '--epochs', `${EPOCHS}`];
/** A process that is killed while it starts lives so many milliseconds at most. */
const STARTING = 700;
/** One that trains makes up to so many steps, and then so many milliseconds at most. */
const STEPS_OF_A_LIFE = 4;
const LAST_MOMENTS = 300;
/** One that has begun to write a checkpoint lives so many milliseconds at most. */
const WRITING = 25;
/** So many steps from its end, the run could finish before a kill comes: it is only killed while it starts. */
const RESERVE = 12;

const folder = await temporaryFolder();
const uninterrupted = join(folder, 'uninterrupted');
const run = join(folder, 'killed');
const random = new RandomStream(2026, Purpose.shuffle, 0);
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const tally = { kills: 0, whileStarting: 0, temporary: 0, betweenRenames: 0, resumedFrom: [] as number[] };

/** A new run must get as far as its configuration, or there is nothing to go on with. */
function chooseMoment(): 'starting' | 'training' | 'writing' {
  const draw = random.uniform();
  if (tally.kills === 0) return 'training';
  if (TOTAL - stepsRecorded(run) < RESERVE || draw < 0.15) return 'starting';
  return draw < 0.5 ? 'training' : 'writing';
}

/** Waits until the run begins to write a checkpoint. */
async function aCheckpointIsWritten(): Promise<void> {
  for await (const { filename } of watch(join(run, CHECKPOINTS))) if (filename?.endsWith('.tmp')) return;
}

/** Starts or goes on with the run, and kills it at a random moment. */
async function liveAndDie(): Promise<void> {
  const where = tally.kills === 0 ? [...SMALL, ...DATA, '--out', run] : [...SMALL, '--resume', run];
  const training = startNin([...where, ...EVERY_STEP]);
  const moment = chooseMoment();
  const before = new Set(existsSync(run) ? leftovers(run) : []);
  if (moment === 'starting') await sleep(random.uniform() * STARTING);
  else {
    await Promise.race([until(() => training.stderr().includes('training on cpu')), training.outcome]);
    await reachStep(training, run, stepsRecorded(run) + Math.floor(random.uniform() * STEPS_OF_A_LIFE));
    if (moment === 'writing') await Promise.race([aCheckpointIsWritten(), training.outcome]);
    await sleep(random.uniform() * (moment === 'writing' ? WRITING : LAST_MOMENTS));
  }
  training.kill('SIGKILL');
  const { code, stderr } = await training.outcome;
  expect(code, `It should have been killed. ${stderr}`).toBe(137);
  tally.kills++;
  if (moment === 'starting') tally.whileStarting++;
  if (leftovers(run).some((name) => name.startsWith(CHECKPOINTS) && !before.has(name))) tally.temporary++;
  if (!existsSync(join(run, LAST)) && existsSync(join(run, PREVIOUS))) tally.betweenRenames++;
  checkWords(stderr);
}

/** A kill damages no checkpoint and loses none that was there. */
function checkWords(stderr: string): void {
  expect(stderr).not.toContain('was not used');
  const [, step] = stderr.match(/Going on after step (\d+)\./) ?? [];
  if (step === undefined) return;
  const before = tally.resumedFrom.at(-1) ?? 0;
  expect(Number(step)).toBeGreaterThanOrEqual(before);
  tally.resumedFrom.push(Number(step));
}

it(`killed ${KILLS} times, it ends as if it never was`, { timeout: 60_000 + 20_000 * KILLS }, async () => {
  const reference = nin([...SMALL, ...DATA, '--out', uninterrupted]);
  while (tally.kills < KILLS) await liveAndDie();
  const last = await nin([...SMALL, '--resume', run]);
  const { code, stderr } = await reference;
  expect(code, stderr).toBe(0);
  expect(last.code, last.stderr).toBe(0);
  checkWords(last.stderr);

  console.log(
    `${tally.kills} kills survived over ${TOTAL} steps, ${tally.whileStarting} of them while the process started; ` +
      `${tally.temporary} left a temporary checkpoint file, ${tally.betweenRenames} fell between the two renames; ` +
      `went on after the steps ${tally.resumedFrom.join(' ')}`,
  );
  expect(stepsRecorded(run)).toBe(TOTAL);
  await expectSameEnd(run, uninterrupted);
  // Kills that only ever hit a process that had not begun, or never a write, would prove little.
  expect(new Set(tally.resumedFrom).size).toBeGreaterThan(KILLS / 5);
  expect(tally.temporary).toBeGreaterThan(0);
  expect(leftovers(run)).toEqual([]);
});
