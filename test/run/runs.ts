/** Runs that tests stop, damage and go on with: small ones of `nin train`, and what their folders hold. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { type Running, until } from '../cli/nin.js';

/** About the smallest images the network takes, in batches of 16, on one thread: a step takes a fifth of a second. */
export const SMALL = [
  'train',
  ...['--preset', 'quick'],
  ...['--resize', '80'],
  ...['--batch-size', '16'],
  ...['--threads', '1'],
  '--json',
] as const;

/** A checkpoint after every step. */
export const EVERY_STEP = ['--checkpoint-minutes', '0'] as const;

export const CHECKPOINTS = 'checkpoints';
export const LAST = join(CHECKPOINTS, 'last.safetensors');
export const PREVIOUS = join(CHECKPOINTS, 'previous.safetensors');
export const EVENTS = 'events.jsonl';

/** Steps in the record of a run, which may be under way. */
export function stepsRecorded(run: string): number {
  const path = join(run, EVENTS);
  return existsSync(path) ? readFileSync(path, 'utf8').split('{"type":"step"').length - 1 : 0;
}

/** Waits until a run has so many steps in its record; a run that ends before is an error. */
export async function reachStep(training: Running, run: string, step: number): Promise<void> {
  const ended = training.outcome.then(({ code, stderr }) => {
    if (stepsRecorded(run) < step) throw new Error(`The run ended with ${code} before step ${step}: ${stderr}`);
  });
  await Promise.race([until(() => stepsRecorded(run) >= step), ended]);
}

/** Files that a write which was cut off has left in a run's folder. */
export function leftovers(run: string): string[] {
  return readdirSync(run, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp'));
}

/** Expects two runs to have come to the same end: the same bytes of weights, record and curves. */
export async function expectSameEnd(run: string, uninterrupted: string): Promise<void> {
  for (const name of ['weights.safetensors', EVENTS, 'curves.svg']) {
    const [actual, expected] = await Promise.all([readFile(join(run, name)), readFile(join(uninterrupted, name))]);
    expect(Buffer.compare(actual, expected), `${name} of ${run} against that of ${uninterrupted}`).toBe(0);
  }
}

/** All files of a run by their paths in it; large ones as their checksums, which compare quickly. */
export function filesOf(run: string): Record<string, string> {
  const files = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      const bytes = readFileSync(path);
      return [
        relative(run, path),
        bytes.length < 100_000 ? bytes.toString() : createHash('sha256').update(bytes).digest('hex'),
      ];
    }),
  );
}
