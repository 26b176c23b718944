/** An Animator's curves as a page shows them: one y axis for all of them, as in the book. */
import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { type ChartAxis, chartSvg } from './chartSvg.js';
import { lineStyle } from './lineStyles.js';
import { xRange, yRange } from './ranges.js';
import type { Plot } from './series.js';

/** The SVG document; `width` and `height` are pixels inside the axes. */
export function animatorSvg({ series, options }: Plot, width: number, height: number): Promise<string> {
  const y = scaleLinear().domain(yRange(series, options.ylim));
  if (options.ylim === undefined) y.nice(5);
  return chartSvg({
    title: '',
    subtitle: '',
    x: chartAxis(options.xlabel, scaleLinear().domain(xRange(series, options.xlim)), 10),
    left: chartAxis(options.ylabel, y, 6),
    series: series.map(({ name, points }, index) => ({
      name,
      points,
      style: lineStyle(index),
      axis: 'left',
      dots: false,
    })),
    width,
    height,
  });
}

function chartAxis(title: string | undefined, scale: ScaleLinear<number, number>, count: number): ChartAxis {
  const [low = 0, high = 1] = scale.domain();
  return { title: title ?? '', domain: [low, high], ticks: scale.ticks(count) };
}
