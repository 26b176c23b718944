/** A run's config.json: what was trained, on which data, with which engine. It makes the run again. */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { trainingConfigSchema } from '../training/config.js';

export const runConfigSchema = z.strictObject({
  /** Version of this format. */
  format: z.literal(1),
  training: trainingConfigSchema,
  data: z.strictObject({
    /** Folder of the dataset's files; null: the one that comes with the package. */
    dir: z.string().nullable(),
    trainExamples: z.int().min(1),
    testExamples: z.int().min(0),
    /** What the examples were, whatever the folder holds today. */
    trainChecksum: z.string(),
    testChecksum: z.string(),
  }),
  engine: z.strictObject({
    name: z.string(),
    device: z.enum(['cpu', 'webgpu']),
    threads: z.int().min(1).max(1024),
  }),
});

export type RunConfig = z.infer<typeof runConfigSchema>;

/**
 * Names what a run computes: a checkpoint belongs to a configuration. The dataset's folder may move, and the engine
 * may change with a word.
 */
export function configChecksum(config: RunConfig): string {
  const { training, data } = runConfigSchema.parse(config);
  return createHash('sha256')
    .update(JSON.stringify({ training, data: { ...data, dir: null } }))
    .digest('hex');
}
