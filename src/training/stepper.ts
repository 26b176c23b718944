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
import { parameterNames, type StateDict, stateDict, walk } from '../nn/stateDict.js';
import { Purpose, RandomStream } from '../random/philox.js';
import { accuracy } from './accuracy.js';
import type { TrainingConfig } from './config.js';
import { gradientGraph, type ImageInput, type MaskInput, updateGraph } from './networkGraph.js';

/** What a step found out about its batch, before the update. */
export interface StepResult {
  /** Mean loss. */
  readonly loss: number;
  /** Number of correct predictions, in training mode (with dropout). */
  readonly correct: number;
  /** L2 norm over all gradients, before clipping. */
  readonly gradientNorm: number;
}

/** Tells of each finished micro-batch. May be asynchronous: the step waits. */
export type OnMicroBatch = (examplesDone: number) => void;

/** Whether a network must see a batch as a whole. */
export function needsWholeBatch(net: Layer): boolean {
  return [...walk(net)].some(({ layer }) => layer.type === 'BatchNorm2d');
}

/**
 * Examples a micro-batch should have on a CPU: at most 16, which keeps memory small and costs no speed, and so that
 * little of the last one is padding.
 */
export function chooseMicroBatchSize(net: Layer, batchSize: number): number {
  if (needsWholeBatch(net)) return batchSize;
  const sizes = Array.from({ length: 9 }, (_, i) => 16 - i).filter((size) => size <= batchSize);
  const padded = (size: number) => Math.ceil(batchSize / size) * size;
  return sizes.reduce((best, size) => (padded(size) < padded(best) ? size : best), sizes[0] ?? batchSize);
}

/**
 * The mask of one dropout layer for one example: 0 with the given probability, else 1 / (1 - probability).
 * A function of (seed, step, layer, example), whatever the micro-batches are.
 */
function fillMask(mask: Float32Array, probability: number, random: RandomStream): void {
  const kept = 1 / (1 - probability);
  const threshold = probability * 2 ** 32;
  for (let i = 0; i < mask.length; i++) mask[i] = random.uint32() < threshold ? 0 : kept;
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
  #update: Promise<Executable> | undefined;

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

  /**
   * Makes one step.
   * @param step number of the step, from 0: names its dropout masks
   */
  async step(batch: Batch, step: number, learningRate: number, onMicroBatch?: OnMicroBatch): Promise<StepResult> {
    const size = needsWholeBatch(this.net) ? batch.length : this.config.microBatchSize;
    const { executable, masks } = await this.#gradients(size);
    let gradients = new Map(this.#parameterNames.map((name) => [name, tensor(this.#tensorOf(name).shape)]));
    let loss = 0;
    let correct = 0;
    for (let begin = 0; begin < batch.length; begin += size) {
      const outputs = await executable.run(this.#inputs(batch, begin, size, step, masks, gradients));
      const take = (prefix: string, name: string) => outputs.get(`${prefix}.${name}`) as Tensor;
      loss += (outputs.get('loss') as Tensor).data[0] ?? Number.NaN;
      const end = Math.min(begin + size, batch.length);
      correct += accuracy(outputs.get('logits') as Tensor, batch.labels.subarray(begin, end));
      gradients = new Map(this.#parameterNames.map((name) => [name, take('gradient', name)]));
      for (const name of this.state.keys()) {
        const buffer = outputs.get(`buffer.${name}`);
        if (buffer) this.state.set(name, buffer);
      }
      onMicroBatch?.(end);
    }
    return { loss, correct, gradientNorm: await this.#updateParameters(gradients, learningRate) };
  }

  /** Gives back the engine's memory. */
  async release(): Promise<void> {
    for (const compiled of this.#compiled.values()) await (await compiled).executable.release();
    await (await this.#update)?.release();
  }

  async #updateParameters(gradients: ReadonlyMap<string, Tensor>, learningRate: number): Promise<number> {
    this.#update ??= this.engine.compile(updateGraph(this.net, this.config.optimizer));
    const inputs = new Map<string, TensorData>([['learningRate', Float32Array.of(learningRate)]]);
    for (const name of this.#parameterNames) {
      inputs.set(`parameter.${name}`, this.#tensorOf(name).data);
      inputs.set(`gradient.${name}`, gradients.get(name)?.data ?? new Float32Array());
      const velocity = this.velocities.get(name);
      if (velocity) inputs.set(`velocity.${name}`, velocity.data);
    }
    const outputs = await (await this.#update).run(inputs);
    for (const name of this.#parameterNames) {
      this.state.set(name, outputs.get(`parameter.${name}`) as Tensor);
      const velocity = outputs.get(`velocity.${name}`);
      if (velocity) this.velocities.set(name, velocity);
    }
    return outputs.get('gradientNorm')?.data[0] ?? Number.NaN;
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

  #tensorOf(name: string): Tensor {
    return this.state.get(name) as Tensor;
  }
}
