/**
 * All that decides what a run of training computes, as one table of plain JSON. A run's config.json is this table;
 * with the dataset and the same engine it gives the same weights again, bit for bit.
 */

import { z } from 'zod';
import { INITIALISATIONS } from '../nn/initialise.js';
import { SCHEDULES } from './schedule.js';

/** Numbers that float32 can hold. */
const positive = z.number().positive().max(1e38);
const count = z.int().min(1);
const share = z.number().min(0).max(1);

export const trainingConfigSchema = z.strictObject({
  /** Name of the preset it was made from, or `custom`. */
  preset: z.string().max(100),
  /** Name of the network, e.g. `NiN`. */
  model: z.string().max(100),
  /** The network, as its layers' `toJSON` describe it. */
  net: z.looseObject({ type: z.string() }),
  /** How the weights start; null: they are given. */
  initialisation: z.enum(INITIALISATIONS).nullable(),
  /** How bytes become the network's input. */
  transform: z.strictObject({
    resize: z.int().min(1).max(4096).optional(),
    mean: z.number().optional(),
    std: positive.optional(),
  }),
  batchSize: count,
  /** Examples that go through the graph at once; a batch is cut into these and their gradients are added up. */
  microBatchSize: count,
  epochs: z.number().positive().max(1_000_000),
  /** Ends the run early; null: it ends with its epochs. */
  maxSteps: count.nullable(),
  /** Peak of the schedule. */
  learningRate: positive,
  schedule: z.strictObject({ name: z.enum(SCHEDULES), warmup: share }),
  /** Stochastic gradient descent, as PyTorch's `SGD`. */
  optimizer: z.strictObject({
    momentum: share,
    nesterov: z.boolean(),
    weightDecay: z.number().min(0),
    /** Gradients are scaled down where their global norm is larger; null: never. */
    maxGradientNorm: positive.nullable(),
  }),
  seed: z.int().min(0),
});

export type TrainingConfig = z.infer<typeof trainingConfigSchema>;

/** Steps of one epoch and of the whole run; a run has at least one step. */
export function countSteps(
  { epochs, maxSteps }: Pick<TrainingConfig, 'epochs' | 'maxSteps'>,
  stepsPerEpoch: number,
): number {
  const steps = Math.max(1, Math.round(epochs * stepsPerEpoch));
  return maxSteps === null ? steps : Math.min(steps, maxSteps);
}
