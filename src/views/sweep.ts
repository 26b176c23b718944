/**
 * A sweep trains several presets on the same seeds, to tell a recipe that always trains from one that was lucky. This
 * is what its table and its picture are drawn from.
 */

export interface SweepRun {
  readonly seed: number;
  /** `null` where the run has none, because it failed. */
  readonly testAccuracy: number | null;
  /** Number of classes that were dead at its end. */
  readonly deadClasses: number;
  readonly state: 'done' | 'failed';
  /** Whether it counts as trained. */
  readonly trained: boolean;
}

export interface SweepGroup {
  readonly preset: string;
  readonly runs: readonly SweepRun[];
}

export interface Sweep {
  readonly groups: readonly SweepGroup[];
  /** What counts as trained, as a sentence without its full stop: `a run has trained if ...`. */
  readonly criterion: string;
}

/** What the runs of a preset came to. The accuracies are of the runs that have one; without any they are `null`. */
export interface GroupFigures {
  readonly runs: number;
  readonly trained: number;
  readonly median: number | null;
  readonly lowest: number | null;
  readonly highest: number | null;
  /** Runs with at least one dead class. */
  readonly withDeadClasses: number;
  /** Runs without a test accuracy. */
  readonly withoutAccuracy: number;
}

export function groupFigures({ runs }: SweepGroup): GroupFigures {
  const sorted = runs.flatMap(({ testAccuracy }) => testAccuracy ?? []).sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return {
    runs: runs.length,
    trained: runs.filter(({ trained }) => trained).length,
    median: low === undefined || high === undefined ? null : (low + high) / 2,
    lowest: sorted[0] ?? null,
    highest: sorted.at(-1) ?? null,
    withDeadClasses: runs.filter(({ deadClasses }) => deadClasses > 0).length,
    withoutAccuracy: runs.length - sorted.length,
  };
}

/** All seeds of a sweep, ascending. */
export function seedsOf({ groups }: Sweep): number[] {
  return [...new Set(groups.flatMap(({ runs }) => runs.map(({ seed }) => seed)))].sort((a, b) => a - b);
}
