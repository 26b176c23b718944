/**
 * Wrong command lines end with exit code 2 and a sentence that names the option and what it takes, never with a stack
 * trace; and the help shows the way. The many texts that a value can be are in values.test.ts; here each option gets a
 * few, to see that it has its parser.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasControlCharacters, manyCommandLines, nin, type Outcome, ROOT, temporaryFolder } from './nin.js';

const folder = await temporaryFolder();
const run = (...args: string[]): Promise<Outcome> => nin(args, { cwd: folder });

const whole = (least: number, most: number) => ({
  bad: ['', `${least - 1}`, `${most + 1}`, '1.5', '1e999', 'many'],
  says: `a whole number from ${least} to ${most}`,
});
const positive = (most: number) => ({
  bad: ['', '0', '-1', `${most * 2}`, 'NaN', 'many'],
  says: `a number above 0, at most ${most}`,
});
const notNegative = (most: number) => ({
  bad: ['', '-1', `${most * 2}`, 'NaN', 'many'],
  says: `a number from 0 to ${most}`,
});
const choice = (...names: string[]) => ({
  bad: ['', 'gpu', '1', names[0]?.toUpperCase() ?? ''],
  says: `Allowed choices are ${names.join(', ')}.`,
});
const path = { bad: ['', ' '], says: 'Expected a path.' };

interface Wrong {
  readonly bad: readonly string[];
  readonly says: string;
}

const SEEDS: Wrong = {
  bad: ['', '-1', '1.5', '5..2', '0..10000', '0..', 'many'],
  says: 'a range such as 0..19 or a list such as 0,3,7, of at most 10000 seeds',
};

const trainingOptions: Readonly<Record<string, Wrong>> = {
  '--resize': whole(1, 1024),
  '--batch-size': whole(1, 60_000),
  '--epochs': positive(10_000),
  '--max-steps': whole(1, 1_000_000_000),
  '--lr': positive(1_000_000),
  '--device': choice('auto', 'cpu', 'webgpu'),
  '--threads': whole(1, 1024),
  '--data-dir': path,
  '--train-examples': whole(1, 60_000),
  '--test-examples': whole(0, 10_000),
  '--checkpoint-minutes': notNegative(1_000_000),
};

/** Every option with a value: wrong ones, and what the sentence must say. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, Wrong>>>> = {
  train: {
    ...trainingOptions,
    '--preset': choice('auto', 'd2l', 'quick', 'robust'),
    '--seed': whole(0, Number.MAX_SAFE_INTEGER),
    '--out': path,
    '--resume': path,
  },
  sweep: { ...trainingOptions, '--preset': choice('d2l', 'quick', 'robust'), '--seeds': SEEDS, '--out': path },
  evaluate: { '--threads': whole(1, 1024), '--data-dir': path, '--test-examples': whole(1, 10_000) },
  bench: {
    '--preset': choice('d2l', 'quick', 'robust'),
    '--resize': whole(1, 1024),
    '--batch-size': whole(1, 10_000),
    '--steps': whole(1, 1_000_000),
    '--threads': whole(1, 1024),
  },
  runs: {},
  summary: { '--preset': choice('d2l', 'quick', 'robust'), '--resize': whole(1, 1024) },
};

const UNKNOWN = '--unheard-of';

/** What a command needs besides its options. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  evaluate: ['somewhere'],
  sweep: ['--preset=quick', '--seeds=0', '--out=somewhere'],
};

/** One sentence, and a hint where the help is. */
function expectUsageError({ code, stdout, stderr }: Outcome, ...says: string[]): void {
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
  const [sentence = '', ...more] = stderr.trimEnd().split('\n');
  expect(sentence).toMatch(/^error: /);
  for (const words of says) expect(sentence).toContain(words);
  expect(more).toEqual(['(run with --help for the options)']);
}

describe.each(Object.entries(OPTIONS))('%s', (command, options) => {
  // A mistake is always there: were the one before it taken for right, nothing would start.
  const args = [command, ...(ARGUMENTS[command] ?? []), UNKNOWN];

  it('has a test for each option that its help names', async () => {
    const { stdout } = await run(command, '--help');
    const named = [...stdout.matchAll(/^ {2}(--[a-z-]+) </gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(options).sort());
  });

  it('refuses wrong values of each, and unknown options', async () => {
    const unknown = { line: args, says: [`unknown option '${UNKNOWN}'`] };
    const known = Object.entries(options).flatMap(([option, { bad, says }]) => [
      { line: [...args, option], says: [`'${option} <`, 'argument missing'] },
      ...bad.map((value) => ({ line: [...args, `${option}=${value}`], says: [`'${option} <`, `'${value}'`, says] })),
    ]);
    const asked = [unknown, ...known];
    const outcomes = await manyCommandLines(asked.map(({ line }) => line));
    expect(outcomes.length).toBe(asked.length);
    for (const [i, { says }] of asked.entries()) expectUsageError(outcomes[i] as Outcome, ...says);
  });
});

describe('random junk', () => {
  it('is refused by the option that gets it', async () => {
    const cases = Object.entries(OPTIONS).flatMap(([command, options]) =>
      Object.entries(options)
        .filter(([, { says }]) => says !== path.says)
        .map(([option, { says }]) => ({ command, option, says })),
    );
    // Printable text that cannot begin a number or be a choice.
    const junk = fc.string({ maxLength: 40 }).map((text) => `?${text}`);
    const lines = fc.array(fc.tuple(fc.constantFrom(...cases), junk), { minLength: 20, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(lines, async (asked) => {
        const outcomes = await manyCommandLines(
          asked.map(([{ command, option }, text]) => [
            command,
            ...(ARGUMENTS[command] ?? []),
            UNKNOWN,
            `${option}=${text}`,
          ]),
        );
        expect(outcomes.length).toBe(asked.length);
        for (const [i, [{ option, says }, text]] of asked.entries()) {
          expectUsageError(outcomes[i] as Outcome, `'${option} <`, `'${text}'`, says);
        }
      }),
      { numRuns: 3 },
    );
  });
});

describe('wrong command lines', () => {
  it("unknown options: another command's, one misspelt, the program's own", async () => {
    const asked = [
      { line: ['evaluate', 'somewhere', '--seed', '1'], unknown: '--seed', meant: undefined },
      { line: ['train', '--epoch', '3'], unknown: '--epoch', meant: '--epochs' },
      { line: ['--nonsense'], unknown: '--nonsense', meant: undefined },
    ];
    const outcomes = await manyCommandLines(asked.map(({ line }) => line));
    for (const [i, { unknown, meant }] of asked.entries()) {
      const meaning = meant === undefined ? '' : `(Did you mean ${meant}?)\n`;
      expect(outcomes[i]).toEqual({
        code: 2,
        stdout: '',
        stderr: `error: unknown option '${unknown}'\n${meaning}(run with --help for the options)\n`,
      });
    }
  });

  it('too many arguments, or too few', async () => {
    const outcomes = await manyCommandLines([
      ['train', 'quick'],
      ['summary', 'quick'],
      ['runs', 'one', 'two'],
      ['evaluate'],
      ['evaluate', ''],
    ]);
    const [train, summary, runs, noRun, blankRun] = outcomes as [Outcome, Outcome, Outcome, Outcome, Outcome];
    expectUsageError(train, "too many arguments for 'train'");
    expectUsageError(summary, "too many arguments for 'summary'");
    expectUsageError(runs, "too many arguments for 'runs'");
    expectUsageError(noRun, "missing required argument 'run'");
    expectUsageError(blankRun, "argument 'run'", 'Expected a path.');
  });

  it('without an option that must be there', async () => {
    const all = ARGUMENTS.sweep ?? [];
    const outcomes = await manyCommandLines(all.map((left) => ['sweep', ...all.filter((given) => given !== left)]));
    expect(outcomes.length).toBe(3);
    for (const [i, outcome] of outcomes.entries()) {
      expectUsageError(outcome, `required option '${all[i]?.split('=')[0]} <`, 'not specified');
    }
  });

  it('unknown command: says which was meant', async () => {
    const { code, stdout, stderr } = await run('tran');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe("error: unknown command 'tran'\n(Did you mean train?)\n(run with --help for the options)\n");
  });

  it('no command at all: the help, as an error', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const command of Object.keys(OPTIONS)) expect(stderr).toContain(`\n  ${command} `);
  });
});

describe('help', () => {
  it.each(Object.keys(OPTIONS))('of %s has examples that are right', async (command) => {
    const { code, stdout, stderr } = await run(command, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(hasControlCharacters(stdout)).toBe(false);
    const examples = stdout.split('\nExamples:\n')[1] ?? '';
    const lines = examples.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toMatch(new RegExp(`^  nin ${command}( |$)`));
      for (const [option] of line.matchAll(/--[a-z-]+/g)) {
        expect(stdout.split('\nExamples:\n')[0]).toMatch(new RegExp(`^  ${option} `, 'm'));
      }
    }
  });

  it('of the program names the commands, and --version its version', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const command of Object.keys(OPTIONS)) expect(stdout).toContain(`\n  ${command} `);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('summary', () => {
  it("prints the book's network: its ten output shapes and its totals", async () => {
    const { code, stdout, stderr } = await run('summary');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(hasControlCharacters(stdout)).toBe(false);
    const rows = stdout.split('\n');
    expect(rows.find((row) => row.startsWith(' 0.0 '))).toMatch(/1 × 96 × 54 × 54 +11,712 +33,872,256$/);
    expect(rows.find((row) => row.startsWith(' 9 '))).toMatch(/Flatten\(\) +1 × 10 /);
    expect(rows.at(-2)).toBe(' 1,992,166 parameters, 762 M multiply-adds');
  });

  it('prints another preset at another size', async () => {
    const { code, stdout } = await run('summary', '--preset', 'quick', '--resize', '67');
    expect(code).toBe(0);
    expect(stdout).toContain('BatchNorm2d(96)');
    expect(stdout).toMatch(/^ 0\.0 .* 1 × 96 × 15 × 15 /m);
  });

  it("runs its help's examples", async () => {
    const { stdout } = await run('summary', '--help');
    const examples = [...stdout.matchAll(/^ {2}nin (summary.*)$/gm)].map(([, line = '']) => line.split(' '));
    expect(examples.length).toBeGreaterThan(0);
    for (const { code, stderr } of await manyCommandLines(examples)) expect(code, stderr).toBe(0);
  });

  it('says which layer cannot take images so small', async () => {
    const { code, stdout, stderr } = await run('summary', '--resize', '66');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^nin: Layer 5, MaxPool2d\(3, stride=2\), cannot take an input of 1x384x2x2\. [^\n]*\n$/);
  });
});
