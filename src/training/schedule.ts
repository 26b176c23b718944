/**
 * How the learning rate changes over a run, as a function of the step alone. Every schedule may begin with a warm-up:
 * a linear rise over a share of the steps.
 */

/**
 * - `constant`: stays at the peak.
 * - `oneCycle`: falls linearly to 0 (after Smith and Topin 2017, without their last phase).
 * - `cosine`: falls to 0 along half a cosine (Loshchilov and Hutter 2016).
 */
export const SCHEDULES = ['constant', 'oneCycle', 'cosine'] as const;
export type ScheduleName = (typeof SCHEDULES)[number];

export interface Schedule {
  readonly name: ScheduleName;
  /** Share of all steps over which the rate rises linearly to the peak, 0 to 1. */
  readonly warmup: number;
}

/**
 * Learning rate of a step.
 * @param step from 0
 * @param totalSteps steps of the whole run
 */
export function learningRateAt({ name, warmup }: Schedule, peak: number, step: number, totalSteps: number): number {
  const warmupSteps = Math.round(warmup * totalSteps);
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const done = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  switch (name) {
    case 'constant':
      return peak;
    case 'oneCycle':
      return peak * (1 - done);
    case 'cosine':
      return (peak * (1 + Math.cos(Math.PI * done))) / 2;
  }
}
