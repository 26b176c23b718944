/** Runs what is measured, each in a process of its own, and reads what it prints. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A path in this folder. */
export const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const nin = here('../dist/cli/main.js');

/** Runs a program and returns what it wrote; its failure is ours. */
function run(command, args, limit) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    timeout: limit * 1000,
    killSignal: 'SIGKILL',
  });
  if (error?.code === 'ETIMEDOUT') return undefined;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}.\n${stderr}`);
  return stdout;
}

/** Longest time for a program that is not expected to be slow, in seconds. */
const PATIENCE = 600;

const flags = (options) =>
  Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    return value === true ? [flag] : [flag, `${value}`];
  });

/** What `nin bench --json` prints. */
export function measureNin(options) {
  return JSON.parse(run(process.execPath, [nin, 'bench', '--json', ...flags(options)], PATIENCE));
}

/**
 * A rival's median rate and peak memory; or `unsupported`, why it cannot do that; or `timedOut`, where even one step
 * took longer than the limit.
 */
export function measureRival(contestant, options, { python, limit }) {
  const isPython = contestant === 'pytorch';
  const program = here(isPython ? 'pytorch/train_step.py' : `contestants/${contestant}.mjs`);
  const patience = isPython ? PATIENCE : Number(limit);
  const output = run(isPython ? python : process.execPath, [program, ...flags(options)], patience);
  if (output === undefined) return { timedOut: `no step within ${limit} seconds` };
  const lines = output.trim().split('\n');
  const last = JSON.parse(lines.at(-1));
  if (last.unsupported) return { unsupported: last.unsupported };
  const rates = lines.slice(0, -1).map((line) => JSON.parse(line).examplesPerSecond);
  return { ...last, examplesPerSecond: rates.toSorted((a, b) => a - b)[rates.length >> 1], rates };
}

/** Seconds from the command to the first finished step of a run at 96x96, as it stands in the run's record. */
export async function measureStart() {
  const folder = mkdtempSync(join(tmpdir(), 'nin-bench-'));
  const record = join(folder, 'run', 'events.jsonl');
  const startedAt = performance.now();
  const args = ['train', '--preset', 'd2l', '--resize', '96', '--batch-size', '64', '--max-steps', '1'];
  const child = spawn(process.execPath, [nin, ...args, '--test-examples', '0', '--out', join(folder, 'run')], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!existsSync(record) || !readFileSync(record, 'utf8').includes('"type":"step"')) {
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await ended;
  rmSync(folder, { recursive: true, force: true });
  return seconds;
}

/** Which rivals are there. */
export function isInstalled(python) {
  return {
    pytorch: spawnSync(python, ['-c', 'import torch']).status === 0,
    javascript: existsSync(here('node_modules')),
  };
}

/** Brings the rivals: those of bench/package.json, and PyTorch where there is Debian's apt-get. */
export function install(say) {
  say('installing the rivals');
  run('npm', ['ci', '--prefix', here('.')], PATIENCE);
  run('apt-get', ['install', '--yes', '--no-install-recommends', 'python3-torch'], PATIENCE);
}
