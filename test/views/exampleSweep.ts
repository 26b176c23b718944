/** A sweep as one would expect it: the book's recipe loses most seeds, the robust one none. */
import type { Sweep, SweepRun } from '../../src/views/sweep.js';

function run(seed: number, testAccuracy: number | null, deadClasses = 0): SweepRun {
  const trained = testAccuracy !== null && testAccuracy >= 0.75 && deadClasses === 0;
  return { seed, testAccuracy, deadClasses, state: testAccuracy === null ? 'failed' : 'done', trained };
}

export const exampleSweep: Sweep = {
  criterion: 'a run has trained if no class is dead and its test accuracy is at least 0.75',
  groups: [
    { preset: 'd2l', runs: [run(2, 0.712, 2), run(0, 0.1, 10), run(1, 0.872), run(3, null)] },
    { preset: 'robust', runs: [run(0, 0.861), run(1, 0.872), run(2, 0.869), run(4, 0.88)] },
  ],
};
