/** What the book counts with: Accumulator, Timer, accuracy; and how many steps a run has. */

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tensor } from '../../src/graph/tensor.js';
import { Accumulator } from '../../src/training/accumulator.js';
import { accuracy, prediction } from '../../src/training/accuracy.js';
import { countSteps } from '../../src/training/config.js';
import { Timer } from '../../src/training/timer.js';

describe('Accumulator', () => {
  it('sums each quantity', () => {
    const metric = new Accumulator(3);
    metric.add(1, 2, 3);
    metric.add(10, 20, 30);
    expect([metric.get(0), metric.get(1), metric.get(2)]).toEqual([11, 22, 33]);
    expect(JSON.stringify(metric)).toBe('[11,22,33]');
  });

  it('starts at 0, and again after a reset', () => {
    const metric = new Accumulator(2);
    expect(metric.toJSON()).toEqual([0, 0]);
    metric.add(1, 1);
    metric.reset();
    metric.add(2, 3);
    expect(metric.toJSON()).toEqual([2, 3]);
  });

  it('hands out sums that later additions do not change', () => {
    const metric = new Accumulator(1);
    const before = metric.toJSON();
    metric.add(1);
    expect(before).toEqual([0]);
  });

  it('has no quantity that it was not made for', () => {
    expect(new Accumulator(1).get(1)).toBeNaN();
  });
});

describe('Timer', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('runs from its making', () => {
    const timer = new Timer();
    vi.advanceTimersByTime(1500);
    expect(timer.stop()).toBeCloseTo(1.5, 9);
  });

  it('sums, averages and runs totals over its stretches, without the time between', () => {
    const timer = new Timer();
    for (const milliseconds of [1000, 2000, 6000]) {
      timer.start();
      vi.advanceTimersByTime(milliseconds);
      timer.stop();
      vi.advanceTimersByTime(500);
    }
    expect(timer.times).toEqual([1, 2, 6]);
    expect(timer.sum()).toBe(9);
    expect(timer.avg()).toBe(3);
    expect(timer.cumsum()).toEqual([1, 3, 9]);
  });

  it('has no average before its first stretch', () => {
    const timer = new Timer();
    expect([timer.sum(), timer.avg(), timer.cumsum()]).toEqual([0, Number.NaN, []]);
  });
});

describe('accuracy', () => {
  const logits = tensor([4, 3], Float32Array.of(1, 2, 3, 5, 5, 4, -3, -2, -2, 0, 0, 0));

  it('predicts the class of the largest logit, the first of equal ones', () => {
    expect([0, 1, 2, 3].map((i) => prediction(logits, i))).toEqual([2, 0, 1, 0]);
  });

  it('counts right predictions', () => {
    expect(accuracy(logits, [2, 0, 1, 0])).toBe(4);
    expect(accuracy(logits, [2, 1, 2, 0])).toBe(2);
    expect(accuracy(logits, Uint8Array.of(0, 2, 0, 1))).toBe(0);
  });

  it('leaves out rows without a label: the padding of a batch', () => {
    expect(accuracy(logits, [2, 0])).toBe(2);
    expect(accuracy(logits, [])).toBe(0);
  });
});

describe('countSteps', () => {
  it.each([
    [10, null, 469, 4690],
    [0.5, null, 469, 235],
    [1.25, null, 4, 5],
    [10, 100, 469, 100],
    [1, 1000, 469, 469],
    [0.001, null, 469, 1],
  ])('of %s epochs, at most %s, of %s batches: %s', (epochs, maxSteps, stepsPerEpoch, steps) => {
    expect(countSteps({ epochs, maxSteps }, stepsPerEpoch)).toBe(steps);
  });

  it('is a whole number of at least 1, within half a step of what was asked', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 100, noNaN: true }),
        fc.integer({ min: 1, max: 500 }),
        (epochs, length) => {
          const steps = countSteps({ epochs, maxSteps: null }, length);
          expect(Number.isInteger(steps) && steps >= 1).toBe(true);
          if (epochs * length >= 1) expect(Math.abs(steps - epochs * length)).toBeLessThanOrEqual(0.5);
        },
      ),
    );
  });
});
