import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { groupFigures } from '../../src/views/sweep.js';
import { sweepTable } from '../../src/views/sweepTable.js';
import { exampleSweep } from './exampleSweep.js';

describe('groupFigures', () => {
  it('takes the median of the runs that have an accuracy', () => {
    const [book, robust] = exampleSweep.groups;
    expect(book && groupFigures(book)).toEqual({
      runs: 4,
      trained: 1,
      median: 0.712,
      lowest: 0.1,
      highest: 0.872,
      withDeadClasses: 2,
      withoutAccuracy: 1,
    });
    expect(robust && groupFigures(robust).median).toBeCloseTo(0.8705, 12);
  });

  it('has no median of nothing', () => {
    expect(groupFigures({ preset: 'none', runs: [] })).toMatchObject({ runs: 0, median: null, lowest: null });
  });
});

describe('sweepTable', () => {
  it('sums up each preset, then lists each seed under each preset', () => {
    expect(sweepTable(exampleSweep).split('\n')).toEqual([
      ' preset  seeds  trained  median  lowest  highest  runs with dead classes',
      '─────────────────────────────────────────────────────────────────────────',
      ' d2l         4  1 of 4    0.712   0.100    0.872                       2',
      ' robust      4  4 of 4    0.871   0.861    0.880                       0',
      '',
      ' seed  d2l              robust',
      '───────────────────────────────',
      '    0  0.100 ✗ 10 dead  0.861',
      '    1  0.872            0.872',
      '    2  0.712 ✗ 2 dead   0.869',
      '    3  failed ✗         –',
      '    4  –                0.880',
      '',
      ' a run has trained if no class is dead and its test accuracy is at least 0.75; ✗ marks a run that has not.',
      ' Median, lowest and highest leave out 1 run without a test accuracy.',
    ]);
  });

  it('is green where all trained and red where one did not', () => {
    const table = sweepTable(exampleSweep, new Chalk({ level: 1 }));
    for (const piece of ['\u001B[31m1 of 4', '\u001B[32m4 of 4', '\u001B[31m0.712 ✗ 2 dead', '\u001B[32m0.880']) {
      expect(table).toContain(piece);
    }
  });
});
