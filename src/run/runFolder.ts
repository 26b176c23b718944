/**
 * The folder of a run: config.json, events.jsonl, checkpoints, and at its end weights.safetensors, result.json and
 * curves.svg. All but the event record are written whole or not at all; of the record, a checkpoint says how much of
 * it is certain.
 */

import { createHash, type Hash } from 'node:crypto';
import { closeSync, type Dirent, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { saveAtomically, syncFolder } from '../data/saveAtomically.js';
import type { Layer } from '../nn/layer.js';
import { decodeSafetensors, encodeSafetensors } from '../nn/safetensors.js';
import type { StateDict } from '../nn/stateDict.js';
import {
  isRecorded,
  type RecordedEvent,
  type TrainingEvent,
  type TrainingResult,
  type WarningEvent,
} from '../training/events.js';
import type { Snapshot } from '../training/trainer.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
import { configChecksum, type RunConfig, runConfigSchema } from './runConfig.js';
import { RunError, why } from './runError.js';
import { lockRun } from './runLock.js';
import { type NetworkUse, savedNetwork } from './savedNetwork.js';

const CONFIG = 'config.json';
/** What `saveAtomically` writes first. */
const UNFINISHED_CONFIG = /^config\.json\.[0-9a-f-]{36}\.tmp$/;
const EVENTS = 'events.jsonl';
const WEIGHTS = 'weights.safetensors';
const RESULT = 'result.json';
const CURVES = 'curves.svg';
const CHECKPOINTS = 'checkpoints';
const LAST = join(CHECKPOINTS, 'last.safetensors');
const PREVIOUS = join(CHECKPOINTS, 'previous.safetensors');
const BEST = join(CHECKPOINTS, 'best.safetensors');

/** What a run came to, as result.json tells it. */
export interface RunResult extends TrainingResult {
  /** All that went wrong since its beginning, also before it was interrupted. */
  readonly warnings: readonly WarningEvent[];
}

/** What lists and sweeps of runs need of result.json. */
const resultSchema = z.object({
  state: z.enum(['done', 'interrupted', 'failed']),
  testAccuracy: z.number().nullable(),
  deadClasses: z.array(z.number()),
  epochs: z.number(),
  seconds: z.number(),
});
type ResultFigures = z.infer<typeof resultSchema>;

const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** A name that sorts by time: `2026-11-23-214501-quick`. */
function nameFor(preset: string, now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  return `${date}-${time.slice(0, 8).replaceAll(':', '')}-${preset}`;
}

/** What is in a folder; nothing where it is not there. */
async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new RunError(`The run cannot be saved in ${path}: ${why(error)}.`);
  }
}

/**
 * Makes sure that a new run takes nothing away in a folder: it holds at most what a process that was killed at its very
 * start has left, before there was a run.
 */
async function refuseUsed(folder: string): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    const isLeft =
      entry.name === CHECKPOINTS
        ? entry.isDirectory() && (await entriesOf(join(folder, CHECKPOINTS))).length === 0
        : entry.isFile() && UNFINISHED_CONFIG.test(entry.name);
    if (!isLeft) throw new RunError(`${folder} is not empty; give a new folder, so that no run is overwritten.`);
  }
}

/** A folder under runs/ that nobody has yet. */
async function unusedPath(preset: string): Promise<string> {
  const first = join('runs', nameFor(preset, new Date()));
  for (let n = 2, path = first; ; path = `${first}-${n++}`) {
    if ((await entriesOf(path)).length === 0) return path;
  }
}

/** A run that is there already, to be read. */
export class SavedRun {
  constructor(readonly path: string) {}

  /** @throws RunError where the run has no readable config.json */
  async readConfig(): Promise<RunConfig> {
    const path = join(this.path, CONFIG);
    const text = await this.#read(path, 'is this the folder of a run?');
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder().decode(text));
    } catch {
      throw new RunError(`${path} is not valid JSON: the file is damaged.`);
    }
    const config = runConfigSchema.safeParse(parsed);
    if (config.success) return config.data;
    const issue = config.error.issues[0];
    throw new RunError(`${path} is not a run's configuration: ${issue?.path.join('.')}: ${issue?.message}.`);
  }

  /**
   * Makes the network of the run's configuration, without weights.
   * @param use what it is made for
   * @throws RunError where it is not a network for the images, or too large for this program or machine
   */
  networkOf(config: RunConfig, use: NetworkUse): Layer {
    return savedNetwork(join(this.path, CONFIG), config, use);
  }

  /** @throws RunError or SafetensorsError where the run has no readable weights */
  async readWeights(): Promise<StateDict> {
    const bytes = await this.#read(join(this.path, WEIGHTS), 'the run has not finished, or was not saved.');
    return decodeSafetensors(bytes).tensors;
  }

  /** What the run came to when it last ended; undefined where it never did, or that cannot be read. */
  async readResult(): Promise<ResultFigures | undefined> {
    try {
      return resultSchema.parse(JSON.parse(await readFile(join(this.path, RESULT), 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** When the run was made, as ISO 8601; undefined where the folder holds no run. */
  async startedAt(): Promise<string | undefined> {
    try {
      return (await stat(join(this.path, CONFIG))).mtime.toISOString();
    } catch {
      return undefined;
    }
  }

  /** The newest checkpoint that is whole, with its part of the record. */
  async readCheckpoint(): Promise<{ checkpoint: Checkpoint; events: Uint8Array; skipped: string[] } | undefined> {
    const record = await readFile(join(this.path, EVENTS)).catch(() => new Uint8Array());
    const skipped: string[] = [];
    for (const name of [LAST, PREVIOUS]) {
      const path = join(this.path, name);
      try {
        const checkpoint = decodeCheckpoint(await readFile(path));
        const events = record.subarray(0, checkpoint.events.bytes);
        if (createHash('sha256').update(events).digest('hex') === checkpoint.events.sha256) {
          return { checkpoint, events, skipped };
        }
        skipped.push(`${path} was not used: ${EVENTS} is not the record that it belongs to.`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        skipped.push(`${path} was not used: ${why(error)}`);
      }
    }
    if (skipped.length === 0) return undefined;
    throw new RunError(`The run in ${this.path} has no checkpoint that is whole. ${skipped.join(' ')}`);
  }

  async #read(path: string, hint: string): Promise<Uint8Array> {
    try {
      return await readFile(path);
    } catch (error) {
      throw new RunError(`${path} cannot be read (${why(error)}): ${hint}`);
    }
  }
}

/** The events of a record. */
export function parseEvents(record: Uint8Array): RecordedEvent[] {
  const lines = new TextDecoder().decode(record).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RecordedEvent);
}

/** A run that is being trained by this process. */
export class RunFolder {
  #record: number;
  #recordBytes = 0;
  #recordHash: Hash = createHash('sha256');
  #bestTestAccuracy: number | null = null;
  /** Of the last checkpoint. */
  #savedStep: number | null = null;

  private constructor(
    readonly path: string,
    private readonly belongings: Pick<Checkpoint, 'config' | 'engine'>,
    private readonly unlock: () => void,
    record: number,
  ) {
    this.#record = record;
  }

  /**
   * Makes the folder of a new run and takes its lock.
   * @param path absent: a new folder under runs/, named by time and preset
   * @throws RunError where there is something already, or it cannot be made
   */
  static async create(path: string | undefined, config: RunConfig): Promise<RunFolder> {
    const folder = path ?? (await unusedPath(config.training.preset));
    await refuseUsed(folder);
    let unlock = () => {};
    try {
      await mkdir(join(folder, CHECKPOINTS), { recursive: true });
      unlock = await lockRun(folder);
      // Until the lock was taken, another process may have begun a run here.
      await refuseUsed(folder);
      await removeLeftovers(folder);
      const belongings = { config: configChecksum(config), engine: config.engine };
      await saveAtomically(join(folder, CONFIG), json(config));
      return new RunFolder(folder, belongings, unlock, openSync(join(folder, EVENTS), 'wx'));
    } catch (error) {
      unlock();
      if (error instanceof RunError) throw error;
      throw new RunError(`The run cannot be saved in ${folder}: ${why(error)}.`);
    }
  }

  /**
   * Opens a run to go on with it, and takes its lock. What the record has beyond the checkpoint is cut off: it will
   * be written again.
   * @param config the run's, as it is in its folder
   * @param engine the one that will go on
   * @throws RunError where another process has it, it cannot be written, or its configuration is not what it was or
   * has no network that can be trained
   */
  static async reopen(
    path: string,
    config: RunConfig,
    engine: Checkpoint['engine'],
  ): Promise<{ folder: RunFolder; checkpoint: Checkpoint | undefined; events: Uint8Array; skipped: string[] }> {
    const unlock = await lockRun(path);
    try {
      for (const place of [path, join(path, CHECKPOINTS)]) await removeLeftovers(place);
      const saved = new SavedRun(path);
      const found = await saved.readCheckpoint();
      // A checkpoint knows the configuration that it belongs to; without one there may be any network in the file.
      if (!found) saved.networkOf(config, 'training');
      const belongings = { config: configChecksum(config), engine };
      if (found && found.checkpoint.config !== belongings.config) {
        throw new RunError(
          `The run in ${path} cannot go on: its ${CONFIG} is not the one it was started with. Put that back, or start ` +
            'a new run.',
        );
      }
      const events = found?.events ?? new Uint8Array();
      const record = openSync(join(path, EVENTS), found ? 'r+' : 'w');
      ftruncateSync(record, events.length);
      closeSync(record);
      const folder = new RunFolder(path, belongings, unlock, openSync(join(path, EVENTS), 'a'));
      folder.#recordBytes = events.length;
      folder.#recordHash.update(events);
      folder.#bestTestAccuracy = found?.checkpoint.bestTestAccuracy ?? null;
      folder.#savedStep = found?.checkpoint.snapshot.progress.step ?? null;
      return { folder, checkpoint: found?.checkpoint, events, skipped: found?.skipped ?? [] };
    } catch (error) {
      unlock();
      if (error instanceof RunError) throw error;
      throw new RunError(`The run in ${path} cannot be opened: ${why(error)}.`);
    }
  }

  /**
   * Adds an event to the record; transient events are not for it.
   * @throws RunError where the disk does not take it
   */
  record(event: TrainingEvent): void {
    if (!isRecorded(event)) return;
    const line = new TextEncoder().encode(`${JSON.stringify(event)}\n`);
    try {
      for (let written = 0; written < line.length; ) written += writeSync(this.#record, line, written);
    } catch (error) {
      throw new RunError(
        `The events cannot be written to ${join(this.path, EVENTS)}: ${why(error)}. ${this.#howToGoOn()}`,
      );
    }
    this.#recordBytes += line.length;
    this.#recordHash.update(line);
  }

  /**
   * Saves a snapshot as the last checkpoint, keeps the one before it, and keeps the best one.
   * @throws RunError where the disk does not take it; the checkpoint before is then intact
   */
  async saveCheckpoint(snapshot: Snapshot): Promise<void> {
    const { isEvaluated, lastEpoch } = snapshot.progress;
    const testAccuracy = isEvaluated ? (lastEpoch?.testAccuracy ?? null) : null;
    const isBest = testAccuracy !== null && testAccuracy > (this.#bestTestAccuracy ?? -1);
    const bestTestAccuracy = isBest ? testAccuracy : this.#bestTestAccuracy;
    const events = { bytes: this.#recordBytes, sha256: this.#recordHash.copy().digest('hex') };
    try {
      // The record must be on the disk before a checkpoint that relies on it.
      fsyncSync(this.#record);
      const bytes = encodeCheckpoint({ snapshot, events, bestTestAccuracy, ...this.belongings });
      if (isBest) await saveAtomically(join(this.path, BEST), bytes);
      await saveAtomically(join(this.path, `${LAST}.new`), bytes);
      await rename(join(this.path, LAST), join(this.path, PREVIOUS)).catch(ignoreAbsent);
      await rename(join(this.path, `${LAST}.new`), join(this.path, LAST));
      await syncFolder(join(this.path, CHECKPOINTS));
      this.#bestTestAccuracy = bestTestAccuracy;
      this.#savedStep = snapshot.progress.step;
    } catch (error) {
      throw new RunError(`The checkpoint cannot be saved in ${this.path}: ${why(error)}. The one before it is intact.`);
    }
  }

  /** Saves the network and what the run came to, and ends the record. */
  async finish(state: StateDict, result: RunResult, curves: string): Promise<void> {
    try {
      await saveAtomically(join(this.path, WEIGHTS), encodeSafetensors(state, { format: 'pt' }));
      await saveAtomically(join(this.path, RESULT), json(result));
      await saveAtomically(join(this.path, CURVES), new TextEncoder().encode(curves));
    } catch (error) {
      throw new RunError(`The run cannot be saved in ${this.path}: ${why(error)}. ${this.#howToGoOn()}`);
    }
  }

  #howToGoOn(): string {
    const where =
      this.#savedStep === null
        ? 'starts the run again, as it has no checkpoint yet'
        : `goes on from its last checkpoint, after step ${this.#savedStep}`;
    return `When that is mended, \`nin train --resume ${this.path}\` ${where}.`;
  }

  /** Closes the record and gives the lock back. */
  close(): void {
    closeSync(this.#record);
    this.unlock();
  }

  /** All recorded events so far. */
  readEvents(): RecordedEvent[] {
    return parseEvents(readFileSync(join(this.path, EVENTS)));
  }
}

/** What a process that was killed had begun to write, with the lock held: checkpoints are large. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((name) => name.endsWith('.tmp'))) await rm(join(folder, name), { force: true });
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
