/** `nin runs`: what is in the runs folder. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import type { RunConfig } from '../run/runConfig.js';
import { RunError, why } from '../run/runError.js';
import { SavedRun } from '../run/runFolder.js';
import { isLocked } from '../run/runLock.js';
import { type RunRow, runsTable } from '../views/runsTable.js';
import type { ViewStream } from '../views/view.js';

/** What is known of one folder; a folder that holds no run is left out. */
async function describe(root: string, name: string): Promise<RunRow | undefined> {
  const run = new SavedRun(join(root, name));
  const nothing = { preset: null, seed: null, epochsDone: null, epochs: null, testAccuracy: null, seconds: null };
  const startedAt = await run.startedAt();
  if (startedAt === undefined) return undefined;
  let config: RunConfig;
  try {
    config = await run.readConfig();
  } catch {
    return { name, state: 'damaged', ...nothing, startedAt };
  }
  const { preset, seed, epochs } = config.training;
  const known = { name, preset, seed, epochs, startedAt };
  if (await isLocked(run.path))
    return { ...known, state: 'running', epochsDone: null, testAccuracy: null, seconds: null };
  const result = await run.readResult();
  return {
    ...known,
    state: result?.state ?? 'interrupted',
    epochsDone: result?.epochs ?? null,
    testAccuracy: result?.testAccuracy ?? null,
    seconds: result?.seconds ?? null,
  };
}

/**
 * Prints a line for each run in a folder.
 * @throws RunError where the folder cannot be read
 */
export async function runs(root: string, stdout: ViewStream): Promise<void> {
  let names: string[];
  try {
    names = await readdir(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new RunError(`${root} cannot be read: ${why(error)}.`);
    names = [];
  }
  const rows: RunRow[] = [];
  for (const name of names) {
    if (!(await stat(join(root, name))).isDirectory()) continue;
    const row = await describe(root, name);
    if (row) rows.push(row);
  }
  if (rows.length === 0) {
    stdout.write(`There are no runs in ${root} yet; \`nin train\` makes one.\n`);
    return;
  }
  const paint = new Chalk({ level: (stdout.getColorDepth?.() ?? 1) > 1 ? 1 : 0 });
  stdout.write(`${runsTable(rows, paint)}\n`);
}
