/** Learning rates over a run: values at key points, and bounds that hold everywhere. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningRateAt, SCHEDULES, type ScheduleName } from '../../src/training/schedule.js';

/** All rates of a run of so many steps with a peak of 1. */
const rates = (name: ScheduleName, warmup: number, steps: number) =>
  Array.from({ length: steps }, (_, step) => learningRateAt({ name, warmup }, 1, step, steps));

describe('schedules', () => {
  it('constant stays at the peak', () => {
    expect(rates('constant', 0, 4)).toEqual([1, 1, 1, 1]);
  });

  it('oneCycle falls linearly', () => {
    expect(rates('oneCycle', 0, 4)).toEqual([1, 0.75, 0.5, 0.25]);
  });

  it('cosine falls along half a cosine', () => {
    const expected = [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2];
    for (const [i, rate] of rates('cosine', 0, 4).entries()) expect(rate).toBeCloseTo(expected[i] ?? Number.NaN, 12);
  });

  it('rise to the peak first, over the share of the steps that is asked for', () => {
    expect(rates('constant', 0.5, 8)).toEqual([0.25, 0.5, 0.75, 1, 1, 1, 1, 1]);
    expect(rates('oneCycle', 0.5, 8)).toEqual([0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25]);
    expect(rates('cosine', 0.5, 4)).toEqual([0.5, 1, 1, expect.closeTo(0.5, 12)]);
    expect(rates('oneCycle', 1, 4)).toEqual([0.25, 0.5, 0.75, 1]);
  });

  it('scale with the peak', () => {
    expect(learningRateAt({ name: 'oneCycle', warmup: 0 }, 0.1, 1, 4)).toBeCloseTo(0.075, 12);
  });

  const run = fc.record({
    name: fc.constantFrom(...SCHEDULES),
    warmup: fc.double({ min: 0, max: 1, noNaN: true }),
    steps: fc.integer({ min: 1, max: 300 }),
  });

  it('are above 0 and never beyond the peak, and a step of every run reaches it', () => {
    fc.assert(
      fc.property(run, ({ name, warmup, steps }) => {
        const all = rates(name, warmup, steps);
        for (const rate of all) expect(rate > 0 && rate <= 1).toBe(true);
        expect(Math.max(...all)).toBe(1);
      }),
    );
  });

  it('rise during the warm-up and never after it', () => {
    fc.assert(
      fc.property(run, ({ name, warmup, steps }) => {
        const all = rates(name, warmup, steps);
        const warmupSteps = Math.round(warmup * steps);
        for (let i = 1; i < steps; i++) {
          const change = (all[i] as number) - (all[i - 1] as number);
          if (i < warmupSteps) expect(change).toBeGreaterThan(0);
          else expect(change).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});
