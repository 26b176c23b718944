/**
 * The one stream that leaves the trainer. Terminal, events.jsonl, SVG and dashboard are its readers; nothing else
 * reaches into the trainer. Every event is plain JSON.
 *
 * Events fall in two groups. *Recorded* events are a function of the configuration alone (no clock in them), so the
 * record of a run that was interrupted and resumed equals that of a run that never was. *Transient* events carry
 * times and rates and are only shown.
 */

/** What is trained, on what, and how long it will be. The first event of every run. */
export interface StartEvent {
  readonly type: 'start';
  /** Name of the network, e.g. `NiN`. */
  readonly model: string;
  readonly parameterCount: number;
  /** `cpu` or `webgpu`. */
  readonly device: string;
  /** Engine and version, e.g. `onnxruntime-node 1.30.0`. */
  readonly engine: string;
  /** CPU threads the engine uses. */
  readonly threads: number;
  /** Name of the preset, or `custom`. */
  readonly preset: string;
  /** Height and width of the images as the network sees them. */
  readonly imageSize: readonly [height: number, width: number];
  readonly trainExamples: number;
  readonly testExamples: number;
  readonly batchSize: number;
  /** Epochs to train, possibly fractional. */
  readonly epochs: number;
  /** Batches in one epoch (the last may be incomplete). */
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly seed: number;
  readonly classNames: readonly string[];
}

/** One parameter update is done. */
export interface StepEvent {
  readonly type: 'step';
  /** Number of updates done, from 1. */
  readonly step: number;
  /** `step / stepsPerEpoch`. */
  readonly epoch: number;
  /** Mean loss of this batch. */
  readonly loss: number;
  /** Share of this batch's examples classified correctly. */
  readonly accuracy: number;
  /** Learning rate of this update. */
  readonly learningRate: number;
  /** L2 norm over all parameter gradients, before clipping. */
  readonly gradientNorm: number;
}

/** One call of the book's `animator.add`: a point of the curves. Absent values are not plotted. */
export interface PointEvent {
  readonly type: 'point';
  readonly epoch: number;
  /** Running average over the epoch so far, as in the book. */
  readonly trainLoss?: number;
  readonly trainAccuracy?: number;
  readonly testAccuracy?: number;
}

/** An epoch is done (or the run ended inside one: then `epoch` is fractional). */
export interface EpochEvent {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  /** `null` where there are no test examples. */
  readonly testAccuracy: number | null;
  /** Test accuracy of each class, in the order of `classNames`; a class with no test example has `null`. */
  readonly perClassAccuracy: readonly (number | null)[] | null;
}

/** Something goes wrong with the training, or has stopped to. The run goes on, unless the event is its last. */
export interface WarningEvent {
  readonly type: 'warning';
  /**
   * - `deadClass`: the logit of a class has been the same for every example over a window of steps, so it has no
   *   gradient; `aliveClass`: that is over.
   * - `plateau`: the loss has stayed at that of guessing.
   * - `explodingGradient`: the gradient's norm is far above what it was.
   * - `notFinite`: the loss or a gradient is NaN or infinite; the run fails.
   */
  readonly kind: 'deadClass' | 'aliveClass' | 'plateau' | 'explodingGradient' | 'notFinite';
  /** The step at which it was found. */
  readonly step: number;
  /** The first step of what was found. */
  readonly sinceStep: number;
  /** The class concerned, for `deadClass` and `aliveClass`. */
  readonly classIndex: number | null;
  /** One or two sentences for people: what happened and what to do. */
  readonly message: string;
}

/** Transient: something a person should read that is not about the training, e.g. that a checkpoint was not saved. */
export interface NoticeEvent {
  readonly type: 'notice';
  readonly message: string;
}

/** Transient: where the run is now. Sent several times a second at most. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly phase: 'train' | 'evaluate';
  /** Updates done. */
  readonly step: number;
  /** Epochs done, fractional, counting micro-batches inside a step. */
  readonly epoch: number;
  /** Examples done and to do in this phase: the whole run for `train`, the test set for `evaluate`. */
  readonly done: number;
  readonly total: number;
  /** Running averages over the epoch so far; `null` before the first step. */
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** Of this phase. As in the book, training counts forward, backward and update only; `null` before it is known. */
  readonly examplesPerSecond: number | null;
  /** Wall-clock seconds since the start of the run, and an estimate of those left (`null` before it is known). */
  readonly secondsElapsed: number;
  readonly secondsLeft: number | null;
}

/** Transient: the run is over. The last event of every run that did not fail. */
export interface EndEvent {
  readonly type: 'end';
  readonly result: TrainingResult;
}

/** What a run came to. */
export interface TrainingResult {
  /** `interrupted`: stopped on request before its last step. `failed`: the loss or a gradient was not finite. */
  readonly state: 'done' | 'interrupted' | 'failed';
  /** Why the run failed and at which step, e.g. `the loss is NaN at step 7`; `null` where it did not. */
  readonly failure: string | null;
  /** Running averages over the last epoch, as the book prints them; `null` where no step was made. */
  readonly loss: number | null;
  readonly trainAccuracy: number | null;
  /** `null` where there are no test examples or the run was interrupted. */
  readonly testAccuracy: number | null;
  readonly perClassAccuracy: readonly (number | null)[] | null;
  /** Classes that were dead at the end, by index. */
  readonly deadClasses: readonly number[];
  /** Counts forward, backward and update only, as in the book. */
  readonly examplesPerSecond: number | null;
  readonly steps: number;
  readonly epochs: number;
  /** Wall-clock seconds of the whole run. */
  readonly seconds: number;
  readonly device: string;
  readonly threads: number;
  readonly seed: number;
  readonly preset: string;
}

export type RecordedEvent = StartEvent | StepEvent | PointEvent | EpochEvent | WarningEvent;
export type TransientEvent = ProgressEvent | NoticeEvent | EndEvent;
export type TrainingEvent = RecordedEvent | TransientEvent;

/** Whether an event belongs into the record of a run (`events.jsonl`). */
export function isRecorded(event: TrainingEvent): event is RecordedEvent {
  return event.type !== 'progress' && event.type !== 'notice' && event.type !== 'end';
}
