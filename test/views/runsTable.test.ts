import { Chalk } from 'chalk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunRow, runsTable } from '../../src/views/runsTable.js';

const quick: RunRow = {
  name: '2026-11-23-quick',
  state: 'done',
  preset: 'quick',
  seed: 0,
  epochsDone: 1,
  epochs: 1,
  testAccuracy: 0.8812,
  seconds: 3920,
  startedAt: '2026-11-23T21:45:01Z',
};
const book: RunRow = {
  ...quick,
  name: '2026-11-24-d2l',
  state: 'interrupted',
  preset: 'd2l',
  seed: 3,
  epochsDone: 2.631,
  epochs: 10,
  testAccuracy: null,
  startedAt: '2026-11-24T00:15:00+02:00',
};
const damaged: RunRow = {
  name: 'old',
  state: 'damaged',
  preset: null,
  seed: null,
  epochsDone: null,
  epochs: null,
  testAccuracy: null,
  seconds: null,
};

beforeEach(() => vi.stubEnv('TZ', 'UTC'));
afterEach(() => vi.unstubAllEnvs());

describe('runsTable', () => {
  it('lists the newest first, and those without a time last', () => {
    expect(runsTable([damaged, quick, book]).split('\n')).toEqual([
      ' run               state        preset  seed      epochs  test acc     time  started',
      '──────────────────────────────────────────────────────────────────────────────────────────────',
      ' 2026-11-24-d2l    interrupted  d2l        3  2.63 of 10         –  1:05:20  2026-11-23 22:15',
      ' 2026-11-23-quick  done         quick      0      1 of 1     0.881  1:05:20  2026-11-23 21:45',
      ' old               damaged      –          –           –         –        –  –',
    ]);
  });

  it('has no column of times where none is known, and then sorts by name', () => {
    const { startedAt: _, ...row } = quick;
    const lines = runsTable([
      { ...row, name: 'a' },
      { ...row, name: 'c' },
      { ...row, name: 'b' },
    ]).split('\n');
    expect(lines[0]).not.toContain('started');
    expect(lines.slice(2).map((line) => line.trim()[0])).toEqual(['c', 'b', 'a']);
  });

  it('colours the state, and prints no control characters of a name', () => {
    const table = runsTable([{ ...quick, state: 'failed', name: 'a\u001B[2Jb' }], new Chalk({ level: 1 }));
    expect(table).toContain('\u001B[31mfailed\u001B[39m');
    expect(table).toContain(' ab ');
    expect(runsTable([{ ...quick, state: 'running' }])).not.toContain('\u001B');
  });

  it('shows a time that is none as it is', () => {
    expect(runsTable([{ ...quick, startedAt: 'yesterday' }])).toContain('yesterday');
  });
});
