import { Chalk } from 'chalk';
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { TrainingEvent } from '../../src/training/events.js';
import { headerLines } from '../../src/views/header.js';
import { advance, type RunState } from '../../src/views/runState.js';
import { terminalFrame } from '../../src/views/terminalFrame.js';
import { anyEvents, end, exampleRun, progress, start } from './exampleRun.js';

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

  it('leaves only the plot at the end', () => {
    const lines = terminalFrame(stateAfter([...exampleRun(1), end]), { width: 79, height: 17 }, plain);
    expect(lines.join('\n')).not.toMatch(/training|elapsed/);
    expect(lines.at(-1)).toMatch(/^ {4}0\.0 .* 1\.0$/);
  });
});
