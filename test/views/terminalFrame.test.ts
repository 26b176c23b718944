import { Chalk } from 'chalk';
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { TrainingEvent } from '../../src/training/events.js';
import { headerLines } from '../../src/views/header.js';
import { advance, type RunState } from '../../src/views/runState.js';
import { terminalFrame } from '../../src/views/terminalFrame.js';
import { aliveClass, anyEvents, deadClass, end, exampleRun, progress, start } from './exampleRun.js';

const plain = new Chalk({ level: 0 });
const coloured = new Chalk({ level: 1 });

function stateAfter(events: readonly TrainingEvent[]): RunState {
  const state = events.reduce<RunState | undefined>(advance, undefined);
  if (state === undefined) throw new Error('the events have no start');
  return state;
}

describe('terminalFrame', () => {
  it('fits any window, whatever the events', () => {
    fc.assert(
      fc.property(
        anyEvents,
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 100 }),
        fc.constantFrom(plain, coloured),
        (events, width, height, paint) => {
          const state = stateAfter(events);
          const lines = terminalFrame(state, { width, height }, paint);
          expect(lines.length).toBeLessThanOrEqual(height);
          for (const line of [...lines, ...headerLines(state.start, paint, width)]) {
            expect(line).not.toContain('\n');
            expect(stringWidth(line)).toBeLessThanOrEqual(width);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('shows plot, bar and all figures in a window of 80 x 24', () => {
    const state = stateAfter([...exampleRun(2).slice(0, -1), progress]);
    const lines = terminalFrame(state, { width: 79, height: 17 }, plain);
    expect(lines).toHaveLength(17);
    expect(lines.at(-2)).toMatch(/^training {4}━+╾?─+ {3}64\.0% +40:10 left$/);
    expect(lines.at(-1)).toBe('epoch 1.28/2 · loss 0.910 · acc 0.660 · 17.9 examples/s · 1:11:40 elapsed');
  });

  it('shows where the run is between two points of the plot', () => {
    const at = (epoch: number) =>
      terminalFrame(stateAfter([start, { ...progress, epoch }]), { width: 79, height: 17 }, plain);
    expect(at(0.1).join('\n')).toContain('●');
    expect(at(0.1)).not.toEqual(at(1.9));
  });

  it('shows the share of the test set while evaluating', () => {
    const state = stateAfter([start, { ...progress, phase: 'evaluate', done: 1, total: 4 }]);
    expect(terminalFrame(state, { width: 79, height: 2 }, plain)[0]).toMatch(/^evaluating {2}━+╾?─+ {3}25\.0%/);
  });

  it('gives up the plot, then the least important figures, then the bar', () => {
    const state = stateAfter([start, progress]);
    expect(terminalFrame(state, { width: 79, height: 8 }, plain)).toHaveLength(2);
    expect(terminalFrame(state, { width: 35, height: 2 }, plain)[1]).toBe('epoch 1.28/2 · 40:10 left');
    expect(terminalFrame(state, { width: 20, height: 2 }, plain)).toEqual(['training 64.0%', 'epoch 1.28/2']);
    expect(terminalFrame(state, { width: 8, height: 1 }, plain)).toEqual(['trainin…']);
  });

  it('keeps a warning under the figures, broken between words', () => {
    const state = stateAfter([...exampleRun(2).slice(0, -1), progress, deadClass(1, 40)]);
    const lines = terminalFrame(state, { width: 60, height: 17 }, plain);
    expect(lines).toHaveLength(17);
    expect(lines[0]).toContain('train loss');
    expect(lines.at(-3)).toMatch(/^epoch 1.28/);
    expect(lines.slice(-2)).toEqual([
      '▲ step 64: The class "trouser" is dead: nothing can be',
      '  learned for it. Start again.',
    ]);
    expect(terminalFrame(state, { width: 79, height: 7 }, plain)).toHaveLength(4);
    expect(terminalFrame(state, { width: 79, height: 2 }, plain)).toEqual([
      expect.stringMatching(/^training/),
      '▲ step 64: The class "trouser" is dead: nothing can be learned for it. Start a…',
    ]);
    expect(terminalFrame(state, { width: 79, height: 1 }, plain)).toEqual([expect.stringMatching(/^training/)]);
  });

  it('gathers dead classes, puts what is over last, and counts what has no room', () => {
    const plateau = { ...deadClass(0, 1), kind: 'plateau', message: 'Nothing is learned.' } as const;
    const events = [start, progress, deadClass(0, 10), plateau, deadClass(1, 40), deadClass(2, 50), aliveClass(0, 90)];
    const warned = (height: number) => terminalFrame(stateAfter(events), { width: 79, height }, plain).slice(2);
    expect(warned(7)).toEqual([
      '▲ step 74: 2 classes are dead: pullover (since step 50), trouser (since step',
      '  40)',
      '▲ step 25: Nothing is learned.',
      '✓ step 90: The class "t-shirt" is alive again.',
    ]);
    expect(warned(5)).toEqual([...warned(7).slice(0, 2), '  and 2 more']);
  });

  it('shows dead classes in red, lesser troubles in yellow', () => {
    const line = (kind: 'deadClass' | 'plateau') =>
      terminalFrame(stateAfter([start, progress, { ...deadClass(0, 1), kind }]), { width: 99, height: 3 }, coloured)[2];
    expect(line('deadClass')).toContain('\u001B[31m▲');
    expect(line('plateau')).toContain('\u001B[33m▲');
  });

  it('leaves only the plot at the end', () => {
    const lines = terminalFrame(stateAfter([...exampleRun(1), end]), { width: 79, height: 17 }, plain);
    expect(lines.join('\n')).not.toMatch(/training|elapsed/);
    expect(lines.at(-1)).toMatch(/^ {4}0\.0 .* 1\.0$/);
  });
});
