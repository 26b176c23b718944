import * as fc from 'fast-check';
import { XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { TrainingEvent } from '../../src/training/events.js';
import { Animator } from '../../src/views/animator.js';
import { curvesSvg } from '../../src/views/curvesSvg.js';
import { aliveClass, anyEvents, deadClass, exampleRun, start } from './exampleRun.js';
import { svgTexts as texts } from './svgTexts.js';

describe('curvesSvg', () => {
  it.each([1, 10])('is a document with title, legend and three titled axes (%i epochs)', async (epochs) => {
    const svg = await curvesSvg(exampleRun(epochs));
    const words = texts(svg);
    for (const word of ['epoch', 'loss', 'accuracy', 'train loss', 'train acc', 'test acc'])
      expect(words).toContain(word);
    expect(words.some((word) => word.startsWith('NiN, preset book: test accuracy 0.'))).toBe(true);
    // Loss to 2.0 on the left, accuracy to 1.0 on the right, on the same six grid lines.
    expect(words.join(' ')).toContain('0.0 0.4 0.8 1.2 1.6 2.0');
    expect(words.join(' ')).toContain('0.0 0.2 0.4 0.6 0.8 1.0');
    expect(svg).not.toContain('NaN');
  });

  it('shows each test accuracy as a point', async () => {
    const circles = (svg: string): number => svg.split('#128a45').length;
    const [few, many] = await Promise.all([curvesSvg(exampleRun(3)), curvesSvg(exampleRun(10))]);
    expect(circles(many) - circles(few)).toBe(7);
  });

  it('tells in its title of the classes that are dead', async () => {
    const events = [...exampleRun(2), deadClass(0, 10), deadClass(1, 20), deadClass(2, 30), aliveClass(1, 70)];
    const words = async (more: readonly TrainingEvent[]) => texts(await curvesSvg([...events, ...more])).join(' ');
    expect(await words([])).toContain('after 2 epochs, 2 dead classes');
    expect(await words([aliveClass(0, 80)])).toContain('after 2 epochs, 1 dead class ');
    expect(await words([aliveClass(0, 80), aliveClass(2, 80)])).not.toContain('dead');
  });

  it('is drawn for a run that has no point yet', async () => {
    expect(texts(await curvesSvg([start]))).toEqual(expect.arrayContaining(['epoch', 'loss', 'accuracy']));
  });

  it('refuses events without a start', async () => {
    await expect(curvesSvg([])).rejects.toThrow('the events of a run begin with `start`');
  });

  it('is well-formed whatever the events', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvents, async (events) => {
        expect(XMLValidator.validate(await curvesSvg(events))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('Animator.toSvg', () => {
  it('is a document with the legend and the axis titles', async () => {
    const animator = new Animator({ xlabel: 'epoch', ylabel: 'value', xlim: [1, 3], legend: ['a', 'b'] });
    for (const epoch of [1, 2, 3]) animator.add(epoch, [epoch, epoch * 2]);
    expect(texts(await animator.toSvg())).toEqual(expect.arrayContaining(['epoch', 'value', 'a', 'b']));
  });
});
