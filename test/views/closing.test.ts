import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { classTable, closingLines, farewell } from '../../src/views/closing.js';
import { type Finding, noteWarning } from '../../src/views/findings.js';
import { aliveClass, deadClass, result, start } from './exampleRun.js';

const paint = new Chalk({ level: 0 });

describe('closingLines', () => {
  it("prints the book's lines to the letter", () => {
    expect(closingLines(result)).toEqual(['loss 0.563, train acc 0.786, test acc 0.790', '3087.6 examples/sec on cpu']);
  });

  it('leaves out what is not known', () => {
    expect(closingLines({ ...result, testAccuracy: null })[0]).toBe('loss 0.563, train acc 0.786');
    expect(
      closingLines({ ...result, loss: null, trainAccuracy: null, testAccuracy: null, examplesPerSecond: null }),
    ).toEqual([]);
  });

  it('writes a loss that is no number as Python does', () => {
    expect(closingLines({ ...result, loss: Number.NaN })[0]).toBe('loss nan, train acc 0.786, test acc 0.790');
  });
});

describe('classTable', () => {
  it('has a line for each class, aligned, with a bar as long as its accuracy', () => {
    expect(classTable(['shirt', 'ankle boot', 'bag'], [0.5, 0, null], paint)).toEqual([
      'test accuracy per class',
      `  shirt       0.500  ${'━'.repeat(15)}${'─'.repeat(15)}`,
      `  ankle boot  0.000  ${'─'.repeat(30)}`,
      '  bag             –',
    ]);
  });

  it('aligns names of wide characters and names classes that have none', () => {
    const [, first, second] = classTable(['靴'], [1, 1], paint);
    expect(first).toMatch(/^ {2}靴 {7}1\.000/);
    expect(second).toMatch(/^ {2}class 1 {2}1\.000/);
  });

  it('marks the dead', () => {
    expect(classTable(['shirt', 'ankle boot', 'bag'], [0.5, 0, null], paint, [1, 2])).toEqual([
      'test accuracy per class',
      `  shirt       0.500  ${'━'.repeat(15)}${'─'.repeat(15)}`,
      `  ankle boot  0.000  ${'─'.repeat(30)}  dead`,
      '  bag             –  dead',
    ]);
  });

  it('is empty where nothing was evaluated', () => {
    expect(classTable(['a'], null, paint)).toEqual([]);
    expect(classTable([], [], paint)).toEqual([]);
  });
});

describe('farewell', () => {
  const { classNames } = start;

  it('names the folder of the run last', () => {
    expect(farewell(result, { classNames: [], runFolder: 'runs/1' }, paint).at(-1)).toBe('saved in runs/1');
    expect(farewell(result, { classNames: [] }, paint).join('\n')).not.toContain('saved');
  });

  it.each([
    ['interrupted', null, 1234, 'interrupted after 1,234 steps, epoch 2.63'],
    ['failed', 'the loss is NaN at step 2', 1, 'failed after 1 step, epoch 2.63: the loss is NaN at step 2'],
  ] as const)('says that a run was %s, where and why', (state, failure, steps, line) => {
    const lines = farewell({ ...result, state, failure, steps, epochs: 2.631 }, { classNames: [] }, paint);
    expect(lines[0]).toBe(line);
  });

  it('is red about failure and death', () => {
    const colours = new Chalk({ level: 1 });
    const lines = farewell({ ...result, state: 'failed', failure: 'Boom', deadClasses: [1] }, { classNames }, colours);
    for (const word of ['failed after', '1 of 3 classes is dead', '  dead']) {
      expect(lines.some((line) => line.includes(`\u001B[31m${word}`))).toBe(true);
    }
  });

  it('names the dead classes', () => {
    const last = (deadClasses: number[], names: readonly string[]) =>
      farewell({ ...result, perClassAccuracy: null, deadClasses }, { classNames: names }, paint).at(-1);
    expect(last([1, 2], classNames)).toBe('2 of 3 classes are dead, nothing is learned for them: trouser, pullover');
    expect(last([1], classNames)).toBe('1 of 3 classes is dead, nothing is learned for it: trouser');
    expect(last([7], [])).toBe('1 class is dead, nothing is learned for it: class 7');
  });

  it('tells each trouble once, in the order of their beginning, with its step', () => {
    const explosion = { ...deadClass(0, 50), kind: 'explodingGradient', classIndex: null, message: 'Boom.' } as const;
    const warnings = [explosion, deadClass(0, 10), explosion, deadClass(1, 40), aliveClass(0, 1000)];
    const findings = warnings.reduce<readonly Finding[]>(noteWarning, []);
    const lines = farewell(result, { classNames, findings, runFolder: 'x' }, paint);
    expect(lines.slice(lines.indexOf('warnings'), -2)).toEqual([
      'warnings',
      '  ▲ since step 40     The class "trouser" is dead: nothing can be learned for it. Start again.',
      '  ▲ at step 50        Boom. (2 times)',
      '  ✓ since step 1,000  The class "t-shirt" is alive again. It was dead from step 10 on.',
    ]);
  });

  it('breaks warnings between words to the width it is given', () => {
    const findings = noteWarning([], deadClass(1, 40));
    const lines = farewell(result, { classNames, findings, width: 60 }, paint);
    expect(lines.slice(lines.indexOf('warnings') + 1)).toEqual([
      '  ▲ since step 40  The class "trouser" is dead: nothing can',
      '                   be learned for it. Start again.',
    ]);
  });
});
