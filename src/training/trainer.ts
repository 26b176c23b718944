/**
 * The training loop of the book (`train_ch6`): epochs of steps, running averages, points of the plot at the book's
 * places, an evaluation after each epoch. It yields the stream of events and draws, prints and saves nothing.
 *
 * What a run computes depends on its configuration and the step alone, never on the clock; the clock only decides
 * when progress is told.
 */

import type { DataIter } from '../data/dataLoader.js';
import type { Engine } from '../engine/engine.js';
import type { Layer } from '../nn/layer.js';
import { parameterCount, type StateDict } from '../nn/stateDict.js';
import { Accumulator } from './accumulator.js';
import { countSteps, type TrainingConfig } from './config.js';
import { type Evaluation, Evaluator, imageInputOf } from './evaluate.js';
import { EventQueue } from './eventQueue.js';
import type { EpochEvent, PointEvent, ProgressEvent, TrainingEvent } from './events.js';
import { networkImageSize } from './networkGraph.js';
import { RunClock, type Spent } from './runClock.js';
import { learningRateAt } from './schedule.js';
import { Stepper } from './stepper.js';
import { Watch, type WatchMemory, whatIsNotFinite } from './watch.js';

export interface TrainerOptions {
  readonly engine: Engine;
  /** Initialised. Its tensors are not changed: the trained ones are in `trainer.state`. */
  readonly net: Layer;
  readonly config: TrainingConfig;
  readonly trainIter: DataIter;
  /** Evaluated after each epoch; absent: never. */
  readonly testIter?: DataIter | undefined;
  /** Where to go on; absent: at the beginning. */
  readonly from?: Snapshot | undefined;
  /**
   * Told at each place where the run can be saved, after all events up to there have been taken. The trainer waits
   * for it.
   */
  readonly onSafePoint?: (place: 'step' | 'epoch') => void;
}

/** All that the rest of a run depends on, besides its configuration and data. */
export interface Snapshot {
  /** Parameters and buffers. */
  readonly state: StateDict;
  /** The optimiser's velocities by parameter. */
  readonly velocities: StateDict;
  readonly progress: TrainingProgress;
}

/** Where a run is, as plain JSON. */
export interface TrainingProgress extends Spent {
  /** Updates done. */
  readonly step: number;
  /** Whether the evaluation that follows this step is done. */
  readonly isEvaluated: boolean;
  /** Loss times examples, correct predictions and examples of the epoch so far. */
  readonly metric: readonly number[];
  readonly lastEpoch: EpochEvent | null;
  readonly watch: WatchMemory;
}

/** A plotted point falls after every fifth of an epoch and after its last batch, as in the book. */
function isPlotted(batch: number, batches: number): boolean {
  return (batch + 1) % Math.max(1, Math.floor(batches / 5)) === 0 || batch === batches - 1;
}

export class Trainer {
  readonly #options: TrainerOptions;
  readonly #stepper: Stepper;
  readonly #evaluator: Evaluator;
  readonly #stepsPerEpoch: number;
  readonly #totalSteps: number;
  /** Loss times examples, correct predictions and examples of the epoch so far. */
  readonly #metric = new Accumulator(3);
  readonly #watch: Watch;
  readonly #clock: RunClock;
  #step = 0;
  #isEvaluated = false;
  /** Why the run has failed; null while it has not. */
  #failure: string | null = null;
  #stopRequested = false;
  #lastEpoch: EpochEvent | null = null;

  constructor(options: TrainerOptions) {
    this.#options = options;
    const input = imageInputOf(options.trainIter);
    this.#stepper = new Stepper(options.engine, options.net, options.config, input);
    this.#evaluator = new Evaluator(options.engine, options.net, input);
    this.#stepsPerEpoch = options.trainIter.length;
    this.#totalSteps = countSteps(options.config, this.#stepsPerEpoch);
    this.#watch = new Watch(options.trainIter.dataset.classNames);
    this.#clock = new RunClock(options.from?.progress);
    if (options.from) this.#restore(options.from);
  }

  /** The network's parameters and buffers, as they are now. */
  get state(): StateDict {
    return this.#stepper.state;
  }

  /** Ends the run after the step that is under way. */
  stop(): void {
    this.#stopRequested = true;
  }

  /** All that the rest of the run depends on. The tensors are those in use: a step replaces them, never changes them. */
  snapshot(): Snapshot {
    return {
      state: new Map(this.#stepper.state),
      velocities: new Map(this.#stepper.velocities),
      progress: {
        step: this.#step,
        isEvaluated: this.#isEvaluated,
        metric: this.#metric.toJSON(),
        lastEpoch: this.#lastEpoch,
        watch: structuredClone(this.#watch.memory),
        ...this.#clock.spent(),
      },
    };
  }

  #restore({ state, velocities, progress }: Snapshot): void {
    for (const [name, tensor] of state) this.#stepper.state.set(name, tensor);
    for (const [name, tensor] of velocities) this.#stepper.velocities.set(name, tensor);
    this.#step = progress.step;
    this.#isEvaluated = progress.isEvaluated;
    this.#metric.add(...progress.metric);
    this.#lastEpoch = progress.lastEpoch;
    this.#watch.memory = structuredClone(progress.watch);
  }

  /**
   * Trains, and tells what happens. Events come as they happen; the consumer's speed is the trainer's, so it should
   * not wait for people. A run that goes on from a snapshot does not tell its start again.
   */
  async *train(): AsyncGenerator<TrainingEvent, void> {
    if (!this.#options.from) yield this.#startEvent();
    try {
      for (;;) {
        if (this.#isEvaluationDue()) {
          yield* this.#endEpoch();
          if (this.#isEvaluated) this.#options.onSafePoint?.('epoch');
        }
        if (this.#step === this.#totalSteps || this.#stopRequested || this.#failure !== null) break;
        yield* this.#trainStep();
        if (this.#failure === null) this.#options.onSafePoint?.('step');
      }
      yield this.#endEvent();
    } finally {
      await this.#stepper.release();
      await this.#evaluator.release();
    }
  }

  /** An epoch ends with an evaluation, and so does the run, wherever it ends. */
  #isEvaluationDue(): boolean {
    if (this.#step === 0 || this.#isEvaluated || this.#failure !== null || this.#stopRequested) return false;
    return this.#step % this.#stepsPerEpoch === 0 || this.#step === this.#totalSteps;
  }

  async *#trainStep(): AsyncGenerator<TrainingEvent, void> {
    const { config, trainIter } = this.#options;
    const epoch = Math.floor(this.#step / this.#stepsPerEpoch);
    const index = this.#step % this.#stepsPerEpoch;
    if (index === 0) this.#metric.reset();
    const batch = trainIter.batch(epoch, index);
    const learningRate = learningRateAt(config.schedule, config.learningRate, this.#step, this.#totalSteps);
    const progress = new EventQueue();
    await this.#stepper.prepare(batch.length);
    this.#clock.startStep();
    const running = this.#stepper.step(batch, this.#step, learningRate, (examplesDone) => {
      if (this.#clock.isProgressDue()) progress.push(this.#trainProgress(examplesDone));
    });
    yield* progress.until(running);
    const { loss, correct, gradientNorm, logitRange } = await running;
    this.#clock.endStep(batch.length);
    const warnings = this.#watch.look({ step: this.#step + 1, loss, gradientNorm, logitRange });
    const what = whatIsNotFinite({ loss, gradientNorm });
    if (what !== undefined) {
      this.#failure = `${what} at step ${this.#step + 1}`;
      yield* warnings;
      return;
    }
    this.#step++;
    this.#isEvaluated = false;
    this.#metric.add(loss * batch.length, correct, batch.length);
    const position = this.#step / this.#stepsPerEpoch;
    const accuracy = correct / batch.length;
    yield { type: 'step', step: this.#step, epoch: position, loss, accuracy, learningRate, gradientNorm };
    if (isPlotted(index, this.#stepsPerEpoch) || this.#step === this.#totalSteps) {
      yield { type: 'point', epoch: position, ...this.#averages() };
    }
    yield* warnings;
  }

  async *#endEpoch(): AsyncGenerator<TrainingEvent, void> {
    const evaluation = yield* this.#evaluate();
    if (this.#options.testIter && !evaluation) return;
    const epoch = this.#step / this.#stepsPerEpoch;
    const testAccuracy = evaluation?.accuracy ?? null;
    if (testAccuracy !== null) yield { type: 'point', epoch, testAccuracy } satisfies PointEvent;
    const perClassAccuracy = evaluation?.perClassAccuracy ?? null;
    this.#lastEpoch = { type: 'epoch', epoch, ...this.#averages(), testAccuracy, perClassAccuracy };
    this.#isEvaluated = true;
    yield this.#lastEpoch;
  }

  async *#evaluate(): AsyncGenerator<TrainingEvent, Evaluation | undefined> {
    const { testIter } = this.#options;
    if (!testIter) return undefined;
    const progress = new EventQueue();
    const startedAt = performance.now();
    const running = this.#evaluator.evaluate(this.state, testIter, (done) => {
      const seconds = (performance.now() - startedAt) / 1000;
      if (this.#clock.isProgressDue()) progress.push(this.#evaluationProgress(done, testIter.exampleCount, seconds));
      return !this.#stopRequested;
    });
    yield* progress.until(running);
    const evaluation = await running;
    this.#clock.evaluationSeconds = (performance.now() - startedAt) / 1000;
    return evaluation;
  }

  #averages(): { trainLoss: number; trainAccuracy: number } {
    const examples = this.#metric.get(2);
    return { trainLoss: this.#metric.get(0) / examples, trainAccuracy: this.#metric.get(1) / examples };
  }

  /** Examples of the whole run: full epochs and the part of the last one that is trained. */
  #examplesOf(steps: number): number {
    const { exampleCount, batchSize } = this.#options.trainIter;
    return Math.floor(steps / this.#stepsPerEpoch) * exampleCount + (steps % this.#stepsPerEpoch) * batchSize;
  }

  #trainProgress(examplesOfStep: number): ProgressEvent {
    const done = this.#examplesOf(this.#step) + examplesOfStep;
    const total = this.#examplesOf(this.#totalSteps);
    const rate = this.#clock.examplesPerSecond();
    const epochsLeft = Math.ceil(this.#totalSteps / this.#stepsPerEpoch) - Math.floor(this.#step / this.#stepsPerEpoch);
    const isKnown = this.#metric.get(2) > 0;
    const { trainLoss, trainAccuracy } = this.#averages();
    return {
      type: 'progress',
      phase: 'train',
      step: this.#step,
      epoch: this.#step / this.#stepsPerEpoch + examplesOfStep / this.#options.trainIter.exampleCount,
      done,
      total,
      loss: isKnown ? trainLoss : null,
      accuracy: isKnown ? trainAccuracy : null,
      examplesPerSecond: rate,
      secondsElapsed: this.#clock.spent().seconds,
      secondsLeft: rate === null ? null : (total - done) / rate + epochsLeft * this.#clock.evaluationSeconds,
    };
  }

  #evaluationProgress(done: number, total: number, seconds: number): ProgressEvent {
    const examplesPerSecond = done / seconds;
    const examplesLeft = this.#examplesOf(this.#totalSteps) - this.#examplesOf(this.#step);
    const trainingLeft = examplesLeft / (this.#clock.examplesPerSecond() ?? Number.POSITIVE_INFINITY);
    return {
      type: 'progress',
      phase: 'evaluate',
      step: this.#step,
      epoch: this.#step / this.#stepsPerEpoch,
      done,
      total,
      loss: this.#averages().trainLoss,
      accuracy: this.#averages().trainAccuracy,
      examplesPerSecond,
      secondsElapsed: this.#clock.spent().seconds,
      secondsLeft: (total - done) / examplesPerSecond + trainingLeft,
    };
  }

  #startEvent(): TrainingEvent {
    const { engine, net, config, trainIter, testIter } = this.#options;
    return {
      type: 'start',
      model: config.model,
      parameterCount: parameterCount(net),
      device: engine.device,
      engine: engine.name,
      threads: engine.threads,
      preset: config.preset,
      imageSize: networkImageSize(imageInputOf(trainIter)),
      trainExamples: trainIter.exampleCount,
      testExamples: testIter?.exampleCount ?? 0,
      batchSize: config.batchSize,
      epochs: this.#totalSteps / this.#stepsPerEpoch,
      stepsPerEpoch: this.#stepsPerEpoch,
      totalSteps: this.#totalSteps,
      seed: config.seed,
      classNames: trainIter.dataset.classNames,
    };
  }

  #endEvent(): TrainingEvent {
    const { engine, config } = this.#options;
    const hasSteps = this.#metric.get(2) > 0;
    const { trainLoss, trainAccuracy } = this.#averages();
    const epochs = this.#step / this.#stepsPerEpoch;
    const evaluated = this.#isEvaluated ? this.#lastEpoch : null;
    const isDone = this.#step === this.#totalSteps && this.#isEvaluated;
    return {
      type: 'end',
      result: {
        state: this.#failure !== null ? 'failed' : isDone ? 'done' : 'interrupted',
        failure: this.#failure,
        loss: hasSteps ? trainLoss : null,
        trainAccuracy: hasSteps ? trainAccuracy : null,
        testAccuracy: evaluated?.testAccuracy ?? null,
        perClassAccuracy: evaluated?.perClassAccuracy ?? null,
        deadClasses: [...this.#watch.deadClasses],
        examplesPerSecond: this.#clock.examplesPerSecond(),
        steps: this.#step,
        epochs,
        seconds: this.#clock.spent().seconds,
        device: engine.device,
        threads: engine.threads,
        seed: config.seed,
        preset: config.preset,
      },
    };
  }
}
