import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { classTable, closingLines, farewell } from '../../src/views/closing.js';
import { result } from './exampleRun.js';

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

  it('is empty where nothing was evaluated', () => {
    expect(classTable(['a'], null, paint)).toEqual([]);
    expect(classTable([], [], paint)).toEqual([]);
  });
});

describe('farewell', () => {
  it('names the folder of the run last', () => {
    expect(farewell(result, [], 'runs/1', paint).at(-1)).toBe('saved in runs/1');
    expect(farewell(result, [], undefined, paint).join('\n')).not.toContain('saved');
  });

  it('says that a run was interrupted, and where', () => {
    const lines = farewell({ ...result, state: 'interrupted', steps: 1234, epochs: 2.631 }, [], undefined, paint);
    expect(lines[0]).toBe('interrupted after 1,234 steps, epoch 2.63');
  });
});
