/** Runs the built `nin` command as a user does: a process of its own, its two streams, its exit code. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');

export interface Outcome {
  /** Exit code, as a shell tells it: 128 and the signal's number where a signal ended the process. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that runs: its signals and, at its end, its outcome. */
export interface Running {
  kill(signal: NodeJS.Signals): void;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Reads no more of its standard output, as `head` does when it has enough. */
  closeStdout(): void;
  readonly outcome: Promise<Outcome>;
}

/** What would change the command's behaviour. */
const DISTURBING = ['FORCE_COLOR', 'NO_COLOR', 'NODE_OPTIONS', 'VK_ICD_FILENAMES', 'VK_DRIVER_FILES'];

const cleanEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !DISTURBING.includes(name)));

/** Processes under way: where a test fails they must not stay. */
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts Node with these arguments; standard input is closed. */
export function startNode(args: readonly string[], { cwd = ROOT, env = {} }: RunOptions = {}): Running {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], stdout, stderr });
    });
  });
  return {
    kill: (signal) => child.kill(signal),
    stdout: () => stdout,
    stderr: () => stderr,
    closeStdout: () => child.stdout.destroy(),
    outcome,
  };
}

/** Starts `nin` with these arguments. */
export function startNin(args: readonly string[], options?: RunOptions): Running {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run "npm run build" first.`);
  return startNode([MAIN, ...args], options);
}

/** Runs `nin` to its end. */
export function nin(args: readonly string[], options?: RunOptions): Promise<Outcome> {
  return startNin(args, options).outcome;
}

/** Many command lines that end at once, answered by one process: for what is not about the process. */
export async function manyCommandLines(commandLines: readonly (readonly string[])[]): Promise<Outcome[]> {
  const script = fileURLToPath(new URL('manyCommandLines.mjs', import.meta.url));
  const { code, stdout, stderr } = await startNode([script, MAIN, JSON.stringify(commandLines)]).outcome;
  if (code !== 0) throw new Error(`The script ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Outcome[];
}

/** A temporary folder that goes when the tests of the file are over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nin-test-')));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Waits until a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Whether a text has characters that move a cursor, colour or ring: any control character but the line's end. */
export function hasControlCharacters(text: string): boolean {
  return [...text].some((character) => {
    const code = character.codePointAt(0) ?? 0;
    return (code < 32 && character !== '\n') || (code >= 127 && code < 160);
  });
}

/** Expects the words of a program that knows what went wrong: one line on standard error, no stack, no output. */
export function expectOneSentence({ code, stdout, stderr }: Outcome): void {
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^nin: [^\n]+[.?)]\n$/);
  expect(stderr).not.toContain('should not have happened');
}

/** A training run of two seconds: the smallest images the network takes, one thread. */
export const TINY = [
  'train',
  ...['--preset', 'quick'],
  ...['--resize', '67'],
  ...['--batch-size', '32'],
  ...['--train-examples', '256'],
  ...['--test-examples', '64'],
  ...['--threads', '1'],
] as const;

/** The one JSON line on standard output. */
export function jsonLine(stdout: string): Record<string, unknown> {
  expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
  return JSON.parse(stdout) as Record<string, unknown>;
}
