/**
 * Says when training goes wrong. The watch sees every step in turn and is a function of what it has seen, so its
 * warnings are part of the record. Its memory is plain JSON and travels in checkpoints.
 */

import type { WarningEvent } from './events.js';

/** What the watch sees of a step. */
export interface WatchedStep {
  /** Number of the step, from 1. */
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** Smallest and largest logit of each class over the batch. */
  readonly logitRange: { readonly lowest: readonly number[]; readonly highest: readonly number[] };
}

/** Steps for which a class's logit must not move before it is called dead. */
export const DEAD_WINDOW = 25;
/** Steps for which the loss must stay at that of guessing. */
export const PLATEAU_WINDOW = 100;
/** How near the loss must be to ln(classes) to count as guessing. */
const PLATEAU_WIDTH = 0.02;
/** How far above its running average a gradient's norm must be, and after how many steps this is looked at. */
const EXPLOSION_FACTOR = 1000;
const EXPLOSION_FROM = 20;
/** Share of the newest step in the running average of the gradient's norm. */
const NORM_MEMORY = 0.1;

/** The memory of the watch, as it is saved. */
export interface WatchMemory {
  /** For each class: its constant logit and the first step of it, or null while the logit moves. */
  constants: ({ value: number; since: number } | null)[];
  /** Classes that have been called dead. */
  dead: number[];
  /** First step of the present stretch of guessing, or null. */
  plateauSince: number | null;
  isPlateauTold: boolean;
  averageNorm: number | null;
}

export class Watch {
  readonly #classNames: readonly string[];
  memory: WatchMemory;

  constructor(classNames: readonly string[]) {
    this.#classNames = classNames;
    this.memory = {
      constants: classNames.map(() => null),
      dead: [],
      plateauSince: null,
      isPlateauTold: false,
      averageNorm: null,
    };
  }

  /** Classes that are dead now, by index. */
  get deadClasses(): readonly number[] {
    return this.memory.dead;
  }

  /** What there is to say of a step; usually nothing. */
  look(seen: WatchedStep): WarningEvent[] {
    const what = whatIsNotFinite(seen);
    if (what !== undefined) return [notFinite(seen.step, what)];
    return [...this.#classes(seen), ...this.#plateau(seen), ...this.#explosion(seen)];
  }

  #classes({ step, logitRange: { lowest, highest } }: WatchedStep): WarningEvent[] {
    const { memory } = this;
    const warnings: WarningEvent[] = [];
    for (const [classIndex, name] of this.#classNames.entries()) {
      const value = lowest[classIndex] as number;
      const isConstant = value === highest[classIndex];
      const before = memory.constants[classIndex];
      const isSame = isConstant && before?.value === value;
      const now = isSame ? before : isConstant ? { value, since: step } : null;
      memory.constants[classIndex] = now ?? null;
      const isDead = memory.dead.includes(classIndex);
      if (now && !isDead && step - now.since + 1 >= DEAD_WINDOW) {
        memory.dead = [...memory.dead, classIndex].sort((a, b) => a - b);
        const message =
          `The class "${name}" is dead: since step ${now.since} its logit is ${value} for every example, so its ` +
          'gradient is zero and it may never come back. Start again with another seed, a smaller learning rate, or a network ' +
          'without a ReLU on its logits.';
        warnings.push({ type: 'warning', kind: 'deadClass', step, sinceStep: now.since, classIndex, message });
      }
      if (!now && isDead) {
        memory.dead = memory.dead.filter((index) => index !== classIndex);
        const message = `The class "${name}" is alive again: its logit moves.`;
        warnings.push({ type: 'warning', kind: 'aliveClass', step, sinceStep: step, classIndex, message });
      }
    }
    return warnings;
  }

  #plateau({ step, loss }: WatchedStep): WarningEvent[] {
    const { memory } = this;
    const guessing = Math.log(this.#classNames.length);
    if (Math.abs(loss - guessing) > PLATEAU_WIDTH) {
      memory.plateauSince = null;
      memory.isPlateauTold = false;
      return [];
    }
    memory.plateauSince ??= step;
    if (memory.isPlateauTold || step - memory.plateauSince + 1 < PLATEAU_WINDOW) return [];
    memory.isPlateauTold = true;
    const message =
      `Nothing has been learned since step ${memory.plateauSince}: the loss stays at ${guessing.toFixed(3)}, that of ` +
      'guessing. Networks like this one sometimes leave such a plateau late, often with dead classes, and sometimes ' +
      'never; a smaller learning rate with warm-up, clipped gradients or batch normalisation avoid it.';
    const { plateauSince: sinceStep } = memory;
    return [{ type: 'warning', kind: 'plateau', step, sinceStep, classIndex: null, message }];
  }

  #explosion({ step, gradientNorm }: WatchedStep): WarningEvent[] {
    const { memory } = this;
    const average = memory.averageNorm;
    memory.averageNorm = average === null ? gradientNorm : average + NORM_MEMORY * (gradientNorm - average);
    if (average === null || step < EXPLOSION_FROM || gradientNorm <= EXPLOSION_FACTOR * average) return [];
    const message =
      `The gradient explodes: its norm is ${gradientNorm.toPrecision(3)}, ${(gradientNorm / average).toFixed(0)} times ` +
      'its average. Use a smaller learning rate or clip the gradients.';
    return [{ type: 'warning', kind: 'explodingGradient', step, sinceStep: step, classIndex: null, message }];
  }
}

/** What of a step is no finite number, in words; undefined where all is well. */
export function whatIsNotFinite({
  loss,
  gradientNorm,
}: Pick<WatchedStep, 'loss' | 'gradientNorm'>): string | undefined {
  if (!Number.isFinite(loss)) return `the loss is ${loss}`;
  return Number.isFinite(gradientNorm) ? undefined : `the norm of the gradient is ${gradientNorm}`;
}

function notFinite(step: number, what: string): WarningEvent {
  const message =
    `Training has failed at step ${step}: ${what}. The weights of the last checkpoint are kept; start again with a ` +
    'smaller learning rate or clipped gradients.';
  return { type: 'warning', kind: 'notFinite', step, sinceStep: step, classIndex: null, message };
}
