/**
 * A checkpoint as one safetensors file: the tensors of a snapshot under the trainer's names, and in its metadata the
 * rest as JSON, with a checksum over all of it. A file with a flipped or missing byte is not read.
 */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { decodeSafetensors, encodeSafetensors } from '../nn/safetensors.js';
import type { StateDict } from '../nn/stateDict.js';
import type { Snapshot } from '../training/trainer.js';
import { RunError } from './runError.js';

const count = z.int().min(0);
const evaluated = z.number().nullable();

const progressSchema = z.strictObject({
  step: count,
  isEvaluated: z.boolean(),
  metric: z.array(z.number()).length(3),
  lastEpoch: z
    .strictObject({
      type: z.literal('epoch'),
      epoch: z.number(),
      trainLoss: z.number(),
      trainAccuracy: z.number(),
      testAccuracy: evaluated,
      perClassAccuracy: z.array(evaluated).nullable(),
    })
    .nullable(),
  watch: z.strictObject({
    constants: z.array(z.strictObject({ value: z.number(), since: count }).nullable()),
    dead: z.array(count),
    plateauSince: count.nullable(),
    isPlateauTold: z.boolean(),
    averageNorm: z.number().nullable(),
  }),
  examplesTrained: count,
  trainingSeconds: z.number().min(0),
  seconds: z.number().min(0),
});

const extentSchema = z.strictObject({
  format: z.literal(1),
  progress: progressSchema,
  /** The part of events.jsonl that belongs to the checkpoint. */
  events: z.strictObject({ bytes: count, sha256: z.string() }),
  bestTestAccuracy: evaluated,
  /** Checksum of the run's configuration: with another one it would go on as another run. */
  config: z.string(),
  /** Engine and threads that computed it: only the same ones go on bit for bit. */
  engine: z.strictObject({ name: z.string(), device: z.string(), threads: z.int().min(1) }),
});

/** What belongs to a checkpoint besides the trainer's snapshot. */
export type CheckpointExtent = Pick<z.infer<typeof extentSchema>, 'events' | 'bestTestAccuracy' | 'config' | 'engine'>;

export interface Checkpoint extends CheckpointExtent {
  readonly snapshot: Snapshot;
}

const NO_CHECKSUM = '0'.repeat(64);
const STATE = 'state.';
const VELOCITY = 'velocity.';

/** The file with its checksum, which is taken with zeros in its own place. */
function seal(tensors: StateDict, checkpoint: string): Uint8Array {
  const unsealed = encodeSafetensors(tensors, { checkpoint, sha256: NO_CHECKSUM });
  const sha256 = createHash('sha256').update(unsealed).digest('hex');
  return encodeSafetensors(tensors, { checkpoint, sha256 });
}

/** Writes a checkpoint as the bytes of a file. */
export function encodeCheckpoint({ snapshot, ...extent }: Checkpoint): Uint8Array {
  const tensors: StateDict = new Map();
  for (const [name, tensor] of snapshot.state) tensors.set(STATE + name, tensor);
  for (const [name, tensor] of snapshot.velocities) tensors.set(VELOCITY + name, tensor);
  return seal(tensors, JSON.stringify({ format: 1, progress: snapshot.progress, ...extent }));
}

/**
 * Reads a checkpoint.
 * @throws RunError or SafetensorsError where the bytes are damaged
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const { checkpoint = '' } = metadata;
  // Sealed again, an intact file comes out the same.
  if (Buffer.compare(seal(tensors, checkpoint), bytes) !== 0) {
    throw new RunError('The checkpoint does not match its checksum: the file is damaged.');
  }
  const parsed = extentSchema.safeParse(parseJson(checkpoint));
  if (!parsed.success) throw new RunError('The checkpoint was written by another version of this program.');
  const { progress, format: _, ...extent } = parsed.data;
  const named = (prefix: string): StateDict =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    );
  return { snapshot: { state: named(STATE), velocities: named(VELOCITY), progress }, ...extent };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
