/**
 * Training speed beside PyTorch on the same machine in the same run:
 *
 *     npm run bench -- --resize 224 --batch-size 128 --steps 5 --rounds 5
 *
 * Rounds alternate between the two programs, so a machine whose speed drifts is unfair to neither; the ratio is taken
 * round by round and its median is the figure to quote. This project's side is the `nin` command as users run it, on
 * the real data; its rate is the one it prints: forward, backward and update of every step, the first included.
 * PyTorch's first step does not count. Without PyTorch (`python3 -c 'import torch'`) only this project is measured.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    resize: { type: 'string', default: '224' },
    'batch-size': { type: 'string', default: '128' },
    steps: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    python: { type: 'string', default: 'python3' },
  },
});
const { resize, 'batch-size': batchSize, steps, python } = values;
const threads = `${availableParallelism()}`;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nin-bench-'));

/** Runs a program and returns what it wrote; its failure is ours. */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}.\n${stderr}`);
  return stdout;
}

function measureNin(round) {
  const options = { resize, 'batch-size': batchSize, 'max-steps': steps, 'test-examples': '0', threads };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const out = join(folder, `${round}`);
  const program = [here('../dist/cli/main.js'), 'train', '--preset', 'd2l', '--json', '--out', out];
  return JSON.parse(run(process.execPath, [...program, ...args])).examplesPerSecond;
}

function measurePytorch() {
  const options = { resize, 'batch-size': batchSize, steps, threads };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const lines = run(python, [here('pytorch/train_step.py'), ...args])
    .trim()
    .split('\n');
  const measured = lines.map((line) => JSON.parse(line));
  const seconds = measured.slice(0, -1).map((step) => step.seconds);
  return {
    rate: (seconds.length * Number(batchSize)) / seconds.reduce((a, b) => a + b, 0),
    peak: measured.at(-1).peakMemoryBytes,
  };
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const spread = (list) => `${Math.min(...list).toFixed(2)} to ${Math.max(...list).toFixed(2)}`;

try {
  const hasPytorch = spawnSync(python, ['-c', 'import torch']).status === 0;
  if (!hasPytorch) console.log(`${python} has no torch (Debian: python3-torch): PyTorch is not measured.`);
  console.log(`NiN, ${resize}x${resize}, batch ${batchSize}, ${steps} steps a round, ${threads} threads`);
  const rates = [];
  const ratios = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const ours = measureNin(round);
    rates.push(ours);
    if (!hasPytorch) {
      console.log(`round ${round + 1}: nin ${ours.toFixed(1)} examples/s`);
      continue;
    }
    const { rate, peak } = measurePytorch();
    ratios.push(ours / rate);
    const peaks = `PyTorch's peak ${(peak / 2 ** 30).toFixed(2)} GiB`;
    console.log(
      `round ${round + 1}: nin ${ours.toFixed(1)}, PyTorch ${rate.toFixed(1)} examples/s, ` +
        `ratio ${(ours / rate).toFixed(2)} (${peaks})`,
    );
  }
  console.log(`nin: median ${median(rates).toFixed(1)} examples/s (${spread(rates)})`);
  if (ratios.length > 0) console.log(`nin / PyTorch: median ratio ${median(ratios).toFixed(2)} (${spread(ratios)})`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
