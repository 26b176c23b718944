/**
 * What has gone wrong in a run, as a person would tell it: one finding for each trouble, however often it was warned
 * of. A class that died and lives again is one finding too, and its news is the good one.
 */
import type { WarningEvent } from '../training/events.js';

export interface Finding {
  /** The latest warning of this trouble. */
  readonly warning: WarningEvent;
  /** How often the trouble has begun. */
  readonly times: number;
  /** For a class that lives again: the first step at which it was dead, if that was seen. */
  readonly deadFrom: number | null;
}

/** The findings with one warning more, the latest first. */
export function noteWarning(findings: readonly Finding[], warning: WarningEvent): readonly Finding[] {
  const before = findings.find((finding) => subject(finding.warning) === subject(warning));
  const finding: Finding = isRecovery(warning)
    ? { warning, times: before?.times ?? 0, deadFrom: before?.deadFrom ?? before?.warning.sinceStep ?? null }
    : { warning, times: (before?.times ?? 0) + 1, deadFrom: null };
  return [finding, ...findings.filter((other) => other !== before)];
}

/** Whether a warning is good news. */
export function isRecovery({ kind }: WarningEvent): boolean {
  return kind === 'aliveClass';
}

/** Warnings of one subject follow each other up: the death and life of a class, plateaus, explosions. */
function subject({ kind, classIndex }: WarningEvent): string {
  return kind === 'deadClass' || kind === 'aliveClass' ? `class ${classIndex}` : kind;
}
