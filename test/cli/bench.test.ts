/** `nin bench` as its user has it. */

import { expect, it } from 'vitest';
import { jsonLine, nin } from './nin.js';

const SMALL = ['bench', '--resize', '67', '--batch-size', '8', '--threads', '1'];

it('tells rates, spread and memory, as text and as JSON', async () => {
  const { code, stdout, stderr } = await nin([...SMALL, '--steps', '2']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^ training +\d+\.\d +\d+\.\d to \d+\.\d$/m);
  expect(stdout).toMatch(/^ evaluation +\d+\.\d +\d+\.\d to \d+\.\d$/m);
  expect(stderr).toContain('training step 2 of 2');

  const inJson = await nin([...SMALL, '--steps', '2', '--json']);
  const figures = jsonLine(inJson.stdout) as Record<string, number & readonly number[]>;
  expect(figures).toMatchObject({ preset: 'd2l', imageSize: [67, 67], batchSize: 8, threads: 1 });
  for (const name of ['training', 'evaluation', 'trainingOperations', 'matmulOperations']) {
    expect(figures[name], name).toBeGreaterThan(0);
  }
  expect(figures.trainingSteps).toHaveLength(2);
  expect(figures.peakMemoryBytes).toBeGreaterThan(2 ** 25);
});

it('shows where the time of a step goes, by our operators', async () => {
  const { code, stdout, stderr } = await nin([...SMALL, '--preset', 'quick', '--profile']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^ conv2dWeightGrad +8×\d+×\d+×\d+ {2}8×\d+×\d+×\d+ +\d+\.\d\d +\d+\.\d% /m);
  expect(stdout).toMatch(/changes of layout by ONNX Runtime/);
  expect(stdout).toMatch(/ms for 8 examples, forward and backward/);
});

it('refuses a profile as JSON, and a batch larger than the data', async () => {
  expect(await nin([...SMALL, '--profile', '--json'])).toMatchObject({ code: 2, stdout: '' });
  expect((await nin(['bench', '--batch-size', '10001'])).code).toBe(2);
});
