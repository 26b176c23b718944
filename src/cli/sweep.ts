/**
 * `nin sweep`: presets trained on the same seeds, one run after another, to tell a recipe that always trains from one
 * that was lucky. Called again with the same options it goes on where it was interrupted.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import { saveAtomically } from '../data/saveAtomically.js';
import { RunError, why } from '../run/runError.js';
import { SavedRun } from '../run/runFolder.js';
import type { PresetName } from '../training/presets.js';
import type { Sweep, SweepRun } from '../views/sweep.js';
import { sweepSvg } from '../views/sweepSvg.js';
import { sweepTable } from '../views/sweepTable.js';
import type { ViewStream } from '../views/view.js';
import { EXIT } from './exitCodes.js';
import { refuseOtherOptions, resume } from './resume.js';
import { type TrainOptions, train } from './train.js';

export interface SweepOptions extends Omit<TrainOptions, 'preset' | 'seed' | 'out' | 'resume' | 'json'> {
  readonly preset: readonly PresetName[];
  readonly seeds: readonly number[];
  readonly out: string;
}

/** From here on a network has clearly left guessing, which is 0.1, on every kind of image. */
const TRAINED_ACCURACY = 0.5;

/** Trains one run of the sweep, or goes on with it, unless it is done. Returns the exit code of the last attempt. */
async function trainOne(
  path: string,
  options: TrainOptions,
  given: Partial<TrainOptions>,
  stdout: ViewStream,
  stderr: ViewStream,
): Promise<number> {
  const saved = new SavedRun(path);
  if ((await saved.startedAt()) === undefined) return train({ ...options, out: path }, stdout, stderr);
  refuseOtherOptions(path, await saved.readConfig(), given);
  const result = await saved.readResult();
  if (result?.state === 'done' || result?.state === 'failed') return EXIT.done;
  return resume(path, given, stdout, stderr);
}

async function sweepRun(path: string, seed: number): Promise<SweepRun> {
  const result = await new SavedRun(path).readResult();
  if (!result || result.state === 'interrupted') throw new RunError(`The run in ${path} has not ended.`);
  const { state, testAccuracy, deadClasses } = result;
  const trained = state === 'done' && deadClasses.length === 0 && (testAccuracy ?? 0) >= TRAINED_ACCURACY;
  return { seed, testAccuracy, deadClasses: deadClasses.length, state, trained };
}

/**
 * Trains every preset on every seed into folders of `options.out`, then prints a table and writes sweep.json and
 * sweep.svg there.
 * @param given the options that were on the command line
 * @returns the exit code
 */
export async function sweep(
  options: SweepOptions,
  given: Partial<TrainOptions>,
  stdout: ViewStream,
  stderr: ViewStream,
): Promise<number> {
  const { preset: presets, seeds, out, ...shared } = options;
  const pathOf = (preset: string, seed: number) => join(out, `${preset}-seed-${seed}`);
  await mkdir(out, { recursive: true }).catch((error) => {
    throw new RunError(`The sweep cannot be saved in ${out}: ${why(error)}.`);
  });
  // Seed by seed, so that an unfinished sweep compares the presets already.
  for (const seed of seeds) {
    for (const preset of presets) {
      stdout.write(`\n${preset}, seed ${seed}\n`);
      const own = { preset, seed };
      const runOptions = { ...shared, ...own, json: false };
      const code = await trainOne(pathOf(preset, seed), runOptions, { ...given, ...own }, stdout, stderr);
      if (code === EXIT.interrupted) return code;
    }
  }
  const groups = await Promise.all(
    presets.map(async (preset) => ({
      preset,
      runs: await Promise.all(seeds.map((seed) => sweepRun(pathOf(preset, seed), seed))),
    })),
  );
  const criterion = `a run has trained if no class is dead at its end and its test accuracy is at least ${TRAINED_ACCURACY}`;
  const result: Sweep = { groups, criterion };
  const text = new TextEncoder();
  await saveAtomically(join(out, 'sweep.json'), text.encode(`${JSON.stringify(result, null, 2)}\n`));
  await saveAtomically(join(out, 'sweep.svg'), text.encode(await sweepSvg(result)));
  const paint = new Chalk({ level: (stdout.getColorDepth?.() ?? 1) > 1 ? 1 : 0 });
  stdout.write(`\n${sweepTable(result, paint)}\n\nsaved in ${out}\n`);
  return EXIT.done;
}
