/**
 * The folder of a run: config.json, events.jsonl, weights.safetensors, result.json, curves.svg. All but the event
 * record are written whole or not at all.
 */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveAtomically } from '../data/saveAtomically.js';
import { decodeSafetensors, encodeSafetensors } from '../nn/safetensors.js';
import type { StateDict } from '../nn/stateDict.js';
import { isRecorded, type RecordedEvent, type TrainingEvent, type TrainingResult } from '../training/events.js';
import { type RunConfig, runConfigSchema } from './runConfig.js';
import { RunError, why } from './runError.js';

const CONFIG = 'config.json';
const EVENTS = 'events.jsonl';
const WEIGHTS = 'weights.safetensors';
const RESULT = 'result.json';
const CURVES = 'curves.svg';

const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** A name that sorts by time: `2026-11-23-214501-quick`. */
function nameFor(preset: string, now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  return `${date}-${time.slice(0, 8).replaceAll(':', '')}-${preset}`;
}

async function isEmptyOrAbsent(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw new RunError(`The run cannot be saved in ${path}: ${why(error)}.`);
  }
}

export class RunFolder {
  #events: number | undefined;

  private constructor(readonly path: string) {}

  /**
   * Makes the folder of a new run.
   * @param path absent: a new folder under runs/, named by time and preset
   * @throws RunError where there is something already, or it cannot be made
   */
  static async create(path: string | undefined, config: RunConfig): Promise<RunFolder> {
    const folder = new RunFolder(path ?? (await unusedPath(config.training.preset)));
    if (!(await isEmptyOrAbsent(folder.path))) {
      throw new RunError(`${folder.path} is not empty; give a new folder, so that no run is overwritten.`);
    }
    try {
      await mkdir(folder.path, { recursive: true });
      await saveAtomically(join(folder.path, CONFIG), json(config));
      folder.#events = openSync(join(folder.path, EVENTS), 'wx');
    } catch (error) {
      throw new RunError(`The run cannot be saved in ${folder.path}: ${why(error)}.`);
    }
    return folder;
  }

  /** A run that is there already, to be read. */
  static open(path: string): RunFolder {
    return new RunFolder(path);
  }

  /**
   * Adds an event to the record; transient events are not for it.
   * @throws RunError where the disk does not take it
   */
  record(event: TrainingEvent): void {
    if (this.#events === undefined || !isRecorded(event)) return;
    try {
      writeSync(this.#events, `${JSON.stringify(event)}\n`);
    } catch (error) {
      throw new RunError(`The events cannot be written to ${join(this.path, EVENTS)}: ${why(error)}.`);
    }
  }

  /** Saves the trained network and what it came to, and ends the record. */
  async finish(state: StateDict, result: TrainingResult, curves: string): Promise<void> {
    if (this.#events !== undefined) closeSync(this.#events);
    this.#events = undefined;
    try {
      await saveAtomically(join(this.path, WEIGHTS), encodeSafetensors(state, { format: 'pt' }));
      await saveAtomically(join(this.path, RESULT), json(result));
      await saveAtomically(join(this.path, CURVES), new TextEncoder().encode(curves));
    } catch (error) {
      throw new RunError(`The run cannot be saved in ${this.path}: ${why(error)}.`);
    }
  }

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

  /** @throws RunError or SafetensorsError where the run has no readable weights */
  async readWeights(): Promise<StateDict> {
    const bytes = await this.#read(join(this.path, WEIGHTS), 'the run has not finished, or was not saved.');
    return decodeSafetensors(bytes).tensors;
  }

  /** The recorded events so far. */
  readEvents(): RecordedEvent[] {
    const lines = readFileSync(join(this.path, EVENTS), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RecordedEvent);
  }

  async #read(path: string, hint: string): Promise<Uint8Array> {
    try {
      return await readFile(path);
    } catch (error) {
      throw new RunError(`${path} cannot be read (${why(error)}): ${hint}`);
    }
  }
}

/** A folder under runs/ that nobody has yet. */
async function unusedPath(preset: string): Promise<string> {
  const first = join('runs', nameFor(preset, new Date()));
  for (let n = 2, path = first; ; path = `${first}-${n++}`) {
    if (await isEmptyOrAbsent(path)) return path;
  }
}
