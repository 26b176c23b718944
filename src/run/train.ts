/** Training as a function call: a network, data and options, and a stream of events that ends with trained weights. */

import type { DataIter } from '../data/dataLoader.js';
import type { DeviceType } from '../engine/engine.js';
import type { Initialisation } from '../nn/initialise.js';
import type { Layer } from '../nn/layer.js';
import { isInitialised, loadStateDict, stateDict } from '../nn/stateDict.js';
import { type TrainingConfig, trainingConfigSchema } from '../training/config.js';
import { imageInputOf } from '../training/evaluate.js';
import type { TrainingEvent } from '../training/events.js';
import { chooseMicroBatchSize } from '../training/microBatch.js';
import { networkImageSize } from '../training/networkGraph.js';
import type { ScheduleName } from '../training/schedule.js';
import { RunError } from './runError.js';
import { startTraining, type TrainingRun } from './startTraining.js';

export interface TrainOptions {
  /** May be fractional. Default 10. */
  readonly epochs?: number;
  /** Ends the run early. Default: it ends with its epochs. */
  readonly maxSteps?: number;
  /** Peak learning rate. Default 0.1. */
  readonly learningRate?: number;
  /** Default `constant`. */
  readonly schedule?: ScheduleName;
  /** Share of the steps over which the learning rate rises to its peak, 0 to 1. Default 0. */
  readonly warmup?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Default false. */
  readonly nesterov?: boolean;
  /** Default 0. */
  readonly weightDecay?: number;
  /** Gradients are scaled down where their global norm is larger. Default: never. */
  readonly maxGradientNorm?: number;
  /** How the weights start. Default: as the network has them, or where it has none, `pytorch`. */
  readonly initialisation?: Initialisation;
  /** Names the initial weights and the dropout masks; the order of the examples is the data iterator's. Default 0. */
  readonly seed?: number;
  /** Default `cpu`. */
  readonly device?: DeviceType;
  /** CPU threads. Default: as many as the machine runs at once. */
  readonly threads?: number;
}

function configOf(net: Layer, trainIter: DataIter, options: TrainOptions): TrainingConfig {
  const { batchSize, transform } = trainIter;
  const imageSize = networkImageSize(imageInputOf(trainIter));
  const { device = 'cpu', momentum = 0, nesterov = false, weightDecay = 0, maxGradientNorm = null } = options;
  const keepsWeights = options.initialisation === undefined && isInitialised(net);
  const config = trainingConfigSchema.safeParse({
    preset: 'custom',
    model: net.type,
    net: net.toJSON(),
    initialisation: keepsWeights ? null : (options.initialisation ?? 'pytorch'),
    transform,
    batchSize,
    microBatchSize: device === 'cpu' ? chooseMicroBatchSize(net, batchSize, imageSize) : batchSize,
    epochs: options.epochs ?? 10,
    maxSteps: options.maxSteps ?? null,
    learningRate: options.learningRate ?? 0.1,
    schedule: { name: options.schedule ?? 'constant', warmup: options.warmup ?? 0 },
    optimizer: { momentum, nesterov, weightDecay, maxGradientNorm },
    seed: options.seed ?? 0,
  });
  if (config.success) return config.data;
  const issue = config.error.issues[0];
  throw new RunError(`The option ${issue?.path.join('.')} cannot be used: ${issue?.message}.`);
}

/** A run whose network has the trained weights once its `end` event is out. */
class NetworkRun implements TrainingRun {
  constructor(
    private readonly run: TrainingRun,
    private readonly net: Layer,
  ) {}

  stop(): void {
    this.run.stop();
  }

  get state() {
    return this.run.state;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingEvent, void> {
    for await (const event of this.run) {
      if (event.type === 'end') loadStateDict(this.net, this.run.state);
      yield event;
    }
  }
}

/**
 * Trains a network in a thread of its own. Walk the result to follow it; the network has the trained weights when the
 * `end` event comes.
 * @param testIter evaluated after each epoch; absent: never
 * @throws RunError or GraphError where an option or the network does not fit
 * @example
 * for await (const event of train(nin(), trainIter, testIter, { epochs: 1, learningRate: 0.05 })) {
 *   if (event.type === 'epoch') console.log(event.testAccuracy);
 * }
 */
export function train(
  net: Layer,
  trainIter: DataIter,
  testIter: DataIter | undefined,
  options: TrainOptions = {},
): TrainingRun {
  const config = configOf(net, trainIter, options);
  net.outputShape([1, 1, ...networkImageSize(imageInputOf(trainIter))]);
  const { device, threads } = options;
  const state = config.initialisation === null ? stateDict(net) : undefined;
  const test = testIter && testIter.exampleCount > 0 ? testIter : undefined;
  return new NetworkRun(startTraining({ config, engine: { device, threads }, train: trainIter, test, state }), net);
}
