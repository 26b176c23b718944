import * as fc from 'fast-check';
import { XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { Sweep } from '../../src/views/sweep.js';
import { sweepSvg } from '../../src/views/sweepSvg.js';
import { exampleSweep } from './exampleSweep.js';
import { svgTexts } from './svgTexts.js';

/** Places of the marks of a shape, by how its path begins and its colour. */
function marks(svg: string, pattern: RegExp): (readonly [x: number, y: number])[] {
  const paths = svg.match(/<path[^>]*>/g)?.filter((path) => pattern.test(path)) ?? [];
  return paths.map((path) => {
    const [, x, y] = /translate\(([-\d.]+),([-\d.]+)\)/.exec(path) ?? [];
    return [Number(x), Number(y)] as const;
  });
}

/** Marks inside the plot; the legend's are above it. */
const plotted = (places: readonly (readonly [number, number])[]) => places.filter(([, y]) => y >= 0);

describe('sweepSvg', () => {
  it('has title, criterion, legend, axis titles and a caption for each preset', async () => {
    const words = svgTexts(await sweepSvg(exampleSweep, { title: 'Which recipe trains?' }));
    expect(words).toEqual(
      expect.arrayContaining([
        'Which recipe trains?',
        exampleSweep.criterion,
        'trained',
        'not trained (number: its dead classes)',
        'failed',
        'test accuracy',
        'preset, with one mark for each seed',
        'guessing',
        'd2l',
        '1 of 4 trained',
        'median 0.712 of 3',
        'robust',
        '4 of 4 trained',
        'median 0.871',
      ]),
    );
  });

  it('draws each run once, in the shape of its kind, and a seed at one place of every column', async () => {
    const svg = await sweepSvg(exampleSweep);
    const trained = plotted(marks(svg, /d="M[^"]*A.*fill="#1d5fd1"/));
    const untrained = plotted(marks(svg, /fill="white".*stroke="#d03a2b".*stroke-width="1.75"/));
    const failed = plotted(marks(svg, /stroke="#d03a2b".*stroke-width="2.25"/));
    expect([trained.length, untrained.length, failed.length]).toEqual([5, 2, 1]);
    // Seed 1 trained under both presets to the same accuracy.
    const [book, ...robust] = trained;
    const twin = robust.find(([, y]) => y === book?.[1]);
    expect((twin?.[0] ?? 0) - (book?.[0] ?? 0)).toBeCloseTo(280, 6);
    // A failed run lies at 0, the foot of the plot.
    expect(failed[0]?.[1]).toBe(320);
  });

  it('explains only what it shows', async () => {
    const sweep = { ...exampleSweep, groups: exampleSweep.groups.slice(1) };
    const words = svgTexts(await sweepSvg(sweep));
    expect(words).toContain('not trained');
    expect(words).not.toContain('failed');
  });

  it('breaks a long title and a long criterion into lines', async () => {
    const words = svgTexts(await sweepSvg({ ...exampleSweep, criterion: 'so much to say '.repeat(20) }));
    expect(words.filter((word) => word.startsWith('so much')).length).toBeGreaterThan(1);
  });

  it('takes the name of a method for a title', async () => {
    const sweep = { ...exampleSweep, criterion: 'constructor' };
    expect(svgTexts(await sweepSvg(sweep, { title: 'toString' }))).toEqual(
      expect.arrayContaining(['toString', 'constructor']),
    );
  });

  it('is well-formed whatever the sweep', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    const run = fc.record({
      seed: fc.nat({ max: 50 }),
      testAccuracy: fc.option(fc.double({ noNaN: true })),
      deadClasses: fc.nat({ max: 12 }),
      state: fc.constantFrom('done' as const, 'failed' as const),
      trained: fc.boolean(),
    });
    const sweep: fc.Arbitrary<Sweep> = fc.record({
      criterion: text,
      groups: fc.array(fc.record({ preset: text, runs: fc.array(run, { maxLength: 8 }) }), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(sweep, text, async (anySweep, title) => {
        const svg = await sweepSvg(anySweep, { title });
        expect(XMLValidator.validate(svg)).toBe(true);
        expect(svg).not.toContain('NaN');
      }),
      { numRuns: 12 },
    );
  });
});
