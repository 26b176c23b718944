/** Ctrl-C: once ends a run after its step and saves it, twice ends it at once. */

import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeSafetensors } from '../../src/nn/safetensors.js';
import { jsonLine, nin, startNin, TINY, temporaryFolder, until } from './nin.js';

const folder = await temporaryFolder();

function stepsRecorded(run: string): number {
  const path = join(run, 'events.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('"type":"step"').length - 1 : 0;
}

it.each(['SIGINT', 'SIGTERM'] as const)('%s ends a run after its step, and the run is saved', async (signal) => {
  const run = join(folder, signal);
  // Minutes long, if nothing stopped it.
  const training = startNin([...TINY, '--epochs', '100', '--json', '--out', run]);
  await Promise.race([until(() => stepsRecorded(run) >= 3), training.outcome]);
  training.kill(signal);
  const { code, stdout, stderr } = await training.outcome;
  expect(code, stderr).toBe(130);

  const figures = jsonLine(stdout);
  const steps = figures.steps as number;
  expect(steps).toBeGreaterThanOrEqual(3);
  expect(steps).toBeLessThan(400);
  expect(figures).toMatchObject({ epochs: steps / 8, testAccuracy: null, perClassAccuracy: null, run });
  expect(stepsRecorded(run)).toBe(steps);
  expect(stderr).toContain(`\ninterrupted after ${steps} steps`);
  expect(JSON.parse(await readFile(join(run, 'result.json'), 'utf8'))).toMatchObject({ state: 'interrupted', steps });
  expect(decodeSafetensors(await readFile(join(run, 'weights.safetensors'))).tensors.size).toBeGreaterThan(0);
  expect(existsSync(join(run, 'curves.svg'))).toBe(true);

  const evaluated = await nin(['evaluate', run, '--json']);
  expect(evaluated.code, evaluated.stderr).toBe(0);
  expect(jsonLine(evaluated.stdout)).toMatchObject({ testExamples: 64, testAccuracy: expect.any(Number) });
});

it('a second SIGINT ends it at once', async () => {
  const run = join(folder, 'twice');
  // The first step of the book's recipe takes many seconds on one thread: it is still under way when both have come.
  const recipe = ['train', '--preset', 'd2l', '--train-examples', '128', '--threads', '1', '--device', 'cpu'];
  const training = startNin([...recipe, '--json', '--out', run]);
  await Promise.race([until(() => training.stderr().includes('training on cpu')), training.outcome]);
  training.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 200));
  training.kill('SIGINT');
  const { code, stdout, stderr } = await training.outcome;
  expect({ code, stdout }, stderr).toEqual({ code: 130, stdout: '' });
  expect(stepsRecorded(run)).toBe(0);
  expect(existsSync(join(run, 'weights.safetensors'))).toBe(false);
  expect(stderr).not.toContain('should not have happened');
});
