/**
 * One training step on an engine: a batch is cut into micro-batches of one size, whose gradients add up inside the
 * graph; then the optimiser's graph updates the parameters.
 *
 * Batch normalisation needs the statistics of a whole batch, so there the micro-batch is the batch, and the shorter
 * last batch of an epoch gets a graph of its own. Otherwise a short micro-batch is padded, and its padding weighs 0.
 */

import type { Batch } from '../data/types.js';
import type { Engine, Executable } from '../engine/engine.js';
import { type Tensor, type TensorData, tensor } from '../graph/tensor.js';
import { sizeOf } from '../graph/tensorType.js';
import type { Layer } from '../nn/layer.js';
import { parameterNames, type StateDict, stateDict } from '../nn/stateDict.js';
import { Purpose, RandomStream } from '../random/philox.js';
import { accuracy } from './accuracy.js';
import type { TrainingConfig } from './config.js';
import { needsWholeBatch } from './microBatch.js';
import { gradientGraph, type ImageInput, type MaskInput, updateGraph } from './networkGraph.js';

/** What a step found out about its batch, before the update. */
export interface StepResult {
  /** Mean loss. */
  readonly loss: number;
  /** Number of correct predictions, in training mode (with dropout). */
  readonly correct: number;
  /** L2 norm over all gradients, before clipping. */
  readonly gradientNorm: number;
  /** Smallest and largest logit of each class over the batch. */
  readonly logitRange: LogitRange;
}

export interface LogitRange {
  readonly lowest: number[];
  readonly highest: number[];
}

/** Tells of each finished micro-batch. May be asynchronous: the step waits. */
export type OnMicroBatch = (examplesDone: number) => void;

/**
 * The mask of one dropout layer for one example: 0 with the given probability, else 1 / (1 - probability).
 * A function of (seed, step, layer, example), whatever the micro-batches are.
 */
function fillMask(mask: Float32Array, probability: number, random: RandomStream): void {
  const kept = 1 / (1 - probability);
  const threshold = probability * 2 ** 32;
  for (let i = 0; i < mask.length; i++) mask[i] = random.uint32() < threshold ? 0 : kept;
}

/** Widens a range by the first `count` rows of some logits. */
function widen({ lowest, highest }: LogitRange, { shape, data }: Tensor, count: number): void {
  const [, classes = 1] = shape;
  for (let i = 0; i < count * classes; i++) {
    const k = i % classes;
    const logit = data[i] as number;
    lowest[k] = Math.min(lowest[k] ?? Number.POSITIVE_INFINITY, logit);
    highest[k] = Math.max(highest[k] ?? Number.NEGATIVE_INFINITY, logit);
  }
}

/** The outputs of one prefix, by the names they have in the network. */
function pick(outputs: ReadonlyMap<string, Tensor>, prefix: string, names: Iterable<string>): StateDict {
  const picked: StateDict = new Map();
  for (const name of names) {
    const output = outputs.get(`${prefix}.${name}`);
    if (output) picked.set(name, output);
  }
  return picked;
}

interface CompiledGradients {
  readonly executable: Executable;
  readonly masks: readonly MaskInput[];
}

export class Stepper {
  /** Parameters and buffers, as they are now. */
  readonly state: StateDict;
  /** The optimiser's velocities by parameter; empty without momentum. */
  readonly velocities = new Map<string, Tensor>();
  readonly #parameterNames: readonly string[];
  readonly #compiled = new Map<number, Promise<CompiledGradients>>();
  #updating: Promise<Executable> | undefined;

  /** @param net initialised; its tensors are copied, not changed */
  constructor(
    private readonly engine: Engine,
    private readonly net: Layer,
    private readonly config: TrainingConfig,
    private readonly input: ImageInput,
  ) {
    this.state = new Map([...stateDict(net)].map(([name, { shape, data }]) => [name, tensor(shape, data.slice())]));
    this.#parameterNames = parameterNames(net);
    if (config.optimizer.momentum > 0) {
      for (const name of this.#parameterNames) this.velocities.set(name, tensor(this.#tensorOf(name).shape));
    }
  }

  /** Compiles what a batch of this length needs, so that a step is only computing. */
  async prepare(batchLength: number): Promise<void> {
    await this.#gradients(this.#microBatchSize(batchLength));
    this.#updating ??= this.engine.compile(updateGraph(this.net, this.config.optimizer));
    await this.#updating;
  }

  /**
   * Makes one step. Where the loss or a gradient is not finite nothing is changed: the weights stay good.
   * @param step number of the step, from 0: names its dropout masks
   */
  async step(batch: Batch, step: number, learningRate: number, onMicroBatch?: OnMicroBatch): Promise<StepResult> {
    await this.prepare(batch.length);
    const size = this.#microBatchSize(batch.length);
    const { executable, masks } = await this.#gradients(size);
    let gradients: StateDict = new Map(this.#parameterNames.map((name) => [name, tensor(this.#tensorOf(name).shape)]));
    const buffers: StateDict = new Map();
    const logitRange: LogitRange = { lowest: [], highest: [] };
    let loss = 0;
    let correct = 0;
    for (let begin = 0; begin < batch.length; begin += size) {
      const end = Math.min(begin + size, batch.length);
      const outputs = await executable.run(this.#inputs(batch, begin, size, step, masks, gradients));
      const logits = outputs.get('logits') as Tensor;
      loss += outputs.get('loss')?.data[0] ?? Number.NaN;
      correct += accuracy(logits, batch.labels.subarray(begin, end));
      widen(logitRange, logits, end - begin);
      gradients = pick(outputs, 'gradient', this.#parameterNames);
      for (const [name, buffer] of pick(outputs, 'buffer', this.state.keys())) buffers.set(name, buffer);
      onMicroBatch?.(end);
    }
    const gradientNorm = await this.#update(gradients, buffers, learningRate, Number.isFinite(loss));
    return { loss, correct, gradientNorm, logitRange };
  }

  /** Gives back the engine's memory. */
  async release(): Promise<void> {
    for (const compiled of this.#compiled.values()) await (await compiled).executable.release();
    await (await this.#updating)?.release();
  }

  /** Updates parameters, velocities and buffers, unless something is not finite. Returns the gradients' norm. */
  async #update(
    gradients: StateDict,
    buffers: StateDict,
    learningRate: number,
    isLossFinite: boolean,
  ): Promise<number> {
    const inputs = new Map<string, TensorData>([['learningRate', Float32Array.of(learningRate)]]);
    for (const [name, { data }] of gradients) {
      inputs.set(`gradient.${name}`, data);
      inputs.set(`parameter.${name}`, this.#tensorOf(name).data);
    }
    for (const [name, { data }] of this.velocities) inputs.set(`velocity.${name}`, data);
    const updating = (await this.#updating) as Executable;
    const outputs = await updating.run(inputs);
    const norm = outputs.get('gradientNorm')?.data[0] ?? Number.NaN;
    if (!isLossFinite || !Number.isFinite(norm)) return norm;
    for (const [name, parameter] of pick(outputs, 'parameter', this.#parameterNames)) this.state.set(name, parameter);
    for (const [name, velocity] of pick(outputs, 'velocity', this.velocities.keys())) {
      this.velocities.set(name, velocity);
    }
    for (const [name, buffer] of buffers) this.state.set(name, buffer);
    return norm;
  }

  #inputs(
    batch: Batch,
    begin: number,
    size: number,
    step: number,
    masks: readonly MaskInput[],
    gradients: ReadonlyMap<string, Tensor>,
  ): Map<string, TensorData> {
    const pixels = this.input.height * this.input.width;
    const end = Math.min(begin + size, batch.length);
    const images = new Uint8Array(size * pixels);
    images.set(batch.images.subarray(begin * pixels, end * pixels));
    const labels = new Int32Array(size);
    labels.set(batch.labels.subarray(begin, end));
    const weights = new Float32Array(size).fill(1 / batch.length, 0, end - begin);
    const inputs = new Map<string, TensorData>([
      ['images', images],
      ['labels', labels],
      ['weights', weights],
    ]);
    const names = new Set(this.#parameterNames);
    for (const [name, { data }] of this.state) inputs.set(`${names.has(name) ? 'parameter' : 'buffer'}.${name}`, data);
    for (const [name, { data }] of gradients) inputs.set(`gradient.${name}`, data);
    for (const [layer, { name, shape, probability }] of masks.entries()) {
      const mask = new Float32Array(sizeOf(shape));
      const each = mask.length / size;
      for (let i = begin; i < end; i++) {
        const random = new RandomStream(this.config.seed, Purpose.dropout, step, layer * 2 ** 24 + i);
        fillMask(mask.subarray((i - begin) * each, (i - begin + 1) * each), probability, random);
      }
      inputs.set(name, mask);
    }
    return inputs;
  }

  #gradients(size: number): Promise<CompiledGradients> {
    let compiled = this.#compiled.get(size);
    if (!compiled) {
      const { graph, masks } = gradientGraph(this.net, size, this.input);
      compiled = this.engine.compile(graph).then((executable) => ({ executable, masks }));
      this.#compiled.set(size, compiled);
    }
    return compiled;
  }

  #microBatchSize(batchLength: number): number {
    return needsWholeBatch(this.net) ? batchLength : this.config.microBatchSize;
  }

  #tensorOf(name: string): Tensor {
    return this.state.get(name) as Tensor;
  }
}
