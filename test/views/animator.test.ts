import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { Animator } from '../../src/views/animator.js';

const legend = ['train loss', 'train acc', 'test acc'];

describe('Animator', () => {
  it('keeps the points of each series and skips absent values, as the book does', () => {
    const animator = new Animator({ legend });
    animator.add(0.2, [2.3, 0.1, null]);
    animator.add(0.4, [2.1, undefined, null]);
    animator.add(1, [null, null, 0.5]);
    expect(animator.series).toEqual([
      {
        name: 'train loss',
        points: [
          [0.2, 2.3],
          [0.4, 2.1],
        ],
      },
      { name: 'train acc', points: [[0.2, 0.1]] },
      { name: 'test acc', points: [[1, 0.5]] },
    ]);
  });

  it('takes a single number and series without a legend', () => {
    const animator = new Animator();
    animator.add(1, 5);
    animator.add(2, [4, 3]);
    expect(animator.series).toEqual([
      {
        name: '',
        points: [
          [1, 5],
          [2, 4],
        ],
      },
      { name: '', points: [[2, 3]] },
    ]);
  });

  it('adds no point for values that cannot be drawn', () => {
    const animator = new Animator({ legend });
    animator.add(1, [Number.NaN, Number.POSITIVE_INFINITY, 1e300]);
    animator.add(Number.NaN, [1, 1, 1]);
    expect(animator.series.flatMap(({ points }) => points)).toEqual([]);
  });

  it('grows a copy without touching the original', () => {
    const animator = new Animator({ legend });
    animator.add(1, [1]);
    const copy = animator.copy();
    copy.add(2, [2]);
    expect(animator.series[0]?.points).toEqual([[1, 1]]);
    expect(copy.series[0]?.points).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
});

describe('Animator.toText', () => {
  it('draws legend, both axes with their ticks, and each curve', () => {
    const animator = new Animator({ xlabel: 'epoch', ylabel: 'value', xlim: [0, 10], legend });
    for (let epoch = 0; epoch <= 10; epoch++) animator.add(epoch, [2.3 / (1 + epoch), epoch / 11, null]);
    const lines = animator.toText({ width: 72, height: 18 }).split('\n');
    expect(lines).toHaveLength(18);
    expect(lines[0]).toBe('━━━ train loss 0.209   ╺╸╺ train acc 0.909   ╸━╸ test acc');
    expect(lines[1]).toBe('value');
    expect(lines.at(-2)).toMatch(/^ {4}└┴[─┴]+┴ epoch$/);
    expect(lines.at(-1)?.trim().split(/\s+/)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
    const yTicks = lines.flatMap((line) => /^(\S+) ┤/.exec(line)?.[1] ?? []);
    expect(yTicks).toEqual(['2.5', '2.0', '1.5', '1.0', '0.5', '0.0']);
    const body = lines.slice(2, -2).join('');
    expect([...body].filter((character) => character === '●')).toHaveLength(2);
    expect(body).toMatch(/[\u2801-\u28ff]/);
  });

  it('cuts a curve at the limits of its axes', () => {
    const animator = new Animator({ xlim: [0, 1], ylim: [0, 1] });
    animator.add(-1, 5);
    animator.add(0.5, 0.5);
    animator.add(2, -1e6);
    expect(animator.toText()).toMatch(/[\u2801-\u28ff]/);
    expect(animator.toText()).not.toContain('●');
  });

  it('fits any size it is given, whatever the points', () => {
    const value = fc.option(fc.oneof(fc.double(), fc.double({ min: 0, max: 3 })));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double(), fc.array(value, { maxLength: 5 })), { maxLength: 15 }),
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 0, max: 60 }),
        (points, width, height) => {
          const animator = new Animator({ xlabel: 'a rather long title', legend });
          for (const [x, ys] of points) animator.add(x, ys);
          const text = animator.toText({ width, height });
          const lines = text === '' ? [] : text.split('\n');
          expect([0, height]).toContain(lines.length);
          for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});
