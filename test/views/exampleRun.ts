/** Streams of events for the tests of the views: one run as it comes from a trainer, and any stream at all. */
import { PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import type {
  EndEvent,
  EpochEvent,
  NoticeEvent,
  PointEvent,
  ProgressEvent,
  StartEvent,
  TrainingEvent,
  TrainingResult,
  WarningEvent,
} from '../../src/training/events.js';
import type { ViewStream } from '../../src/views/view.js';

export const start: StartEvent = {
  type: 'start',
  model: 'NiN',
  parameterCount: 1_992_166,
  device: 'cpu',
  engine: 'onnxruntime-node 1.30.0',
  threads: 2,
  preset: 'book',
  imageSize: [224, 224],
  trainExamples: 60_000,
  testExamples: 10_000,
  batchSize: 128,
  epochs: 2,
  stepsPerEpoch: 469,
  totalSteps: 938,
  seed: 0,
  classNames: ['t-shirt', 'trouser', 'pullover'],
};

export const progress: ProgressEvent = {
  type: 'progress',
  phase: 'train',
  step: 600,
  epoch: 1.28,
  done: 76_800,
  total: 120_000,
  loss: 0.91,
  accuracy: 0.66,
  examplesPerSecond: 17.9,
  secondsElapsed: 4300,
  secondsLeft: 2410,
};

/** The figures of the book's own run. */
export const result: TrainingResult = {
  state: 'done',
  failure: null,
  loss: 0.5634,
  trainAccuracy: 0.7861,
  testAccuracy: 0.79,
  perClassAccuracy: [0.81, 0, null],
  deadClasses: [],
  examplesPerSecond: 3087.58,
  steps: 938,
  epochs: 2,
  seconds: 39,
  device: 'cpu',
  threads: 2,
  seed: 0,
  preset: 'book',
};

export const end: EndEvent = { type: 'end', result };

/** The class of this index is dead since the step, and found so 24 steps later. */
export function deadClass(classIndex: number, sinceStep: number): WarningEvent {
  const message = `The class "${start.classNames[classIndex]}" is dead: nothing can be learned for it. Start again.`;
  return { type: 'warning', kind: 'deadClass', step: sinceStep + 24, sinceStep, classIndex, message };
}

export function aliveClass(classIndex: number, step: number): WarningEvent {
  const message = `The class "${start.classNames[classIndex]}" is alive again.`;
  return { type: 'warning', kind: 'aliveClass', step, sinceStep: step, classIndex, message };
}

/** A run of `epochs` epochs with the book's six points each. */
export function exampleRun(epochs: number): TrainingEvent[] {
  const events: TrainingEvent[] = [{ ...start, epochs, totalSteps: 469 * epochs }];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const step of [93, 186, 279, 372, 465, 469]) {
      const at = epoch + step / 469;
      events.push({ type: 'point', epoch: at, trainLoss: 0.3 + 2 / (1 + at), trainAccuracy: 0.9 - 0.8 / (1 + at) });
    }
    const testAccuracy = 0.88 - 0.5 / (1 + epoch);
    events.push({ type: 'point', epoch: epoch + 1, testAccuracy });
    events.push({
      type: 'epoch',
      epoch: epoch + 1,
      trainLoss: 0.5,
      trainAccuracy: 0.8,
      testAccuracy,
      perClassAccuracy: [0.9, 0.8, 0.7],
    });
  }
  return [...events, end];
}

/** A stream that remembers what was written, as a terminal of the given size or as a pipe. */
export function fakeStream(size?: { readonly columns: number; readonly rows: number }): {
  readonly stream: ViewStream & { columns?: number; rows?: number };
  readonly written: () => string;
} {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  return {
    stream: Object.assign(stream, size === undefined ? {} : { ...size, isTTY: true }),
    written: () => text,
  };
}

const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }));
const count = fc.nat();
const figure = fc.oneof(fc.double({ min: 0, max: 3 }), fc.double());
const maybe = fc.option(figure);
const perClass = fc.option(fc.array(maybe, { maxLength: 12 }));

const anyStart: fc.Arbitrary<StartEvent> = fc.record({
  type: fc.constant('start' as const),
  model: name,
  parameterCount: count,
  device: name,
  engine: name,
  threads: count,
  preset: name,
  imageSize: fc.tuple(count, count),
  trainExamples: count,
  testExamples: count,
  batchSize: count,
  epochs: figure,
  stepsPerEpoch: count,
  totalSteps: count,
  seed: count,
  classNames: fc.array(name, { maxLength: 12 }),
});

const anyPoint: fc.Arbitrary<PointEvent> = fc.record(
  {
    type: fc.constant('point' as const),
    epoch: figure,
    trainLoss: figure,
    trainAccuracy: figure,
    testAccuracy: figure,
  },
  { requiredKeys: ['type', 'epoch'] },
);

const anyEpoch: fc.Arbitrary<EpochEvent> = fc.record({
  type: fc.constant('epoch' as const),
  epoch: figure,
  trainLoss: figure,
  trainAccuracy: figure,
  testAccuracy: maybe,
  perClassAccuracy: perClass,
});

const anyProgress: fc.Arbitrary<ProgressEvent> = fc.record({
  type: fc.constant('progress' as const),
  phase: fc.constantFrom('train' as const, 'evaluate' as const),
  step: count,
  epoch: figure,
  done: count,
  total: count,
  loss: maybe,
  accuracy: maybe,
  examplesPerSecond: maybe,
  secondsElapsed: figure,
  secondsLeft: maybe,
});

const classIndex = fc.oneof(fc.nat({ max: 11 }), count);
const message = fc.oneof(name, fc.lorem({ maxCount: 40 }));

const anyWarning: fc.Arbitrary<WarningEvent> = fc.record({
  type: fc.constant('warning' as const),
  kind: fc.constantFrom(
    'deadClass' as const,
    'aliveClass' as const,
    'plateau' as const,
    'explodingGradient' as const,
    'notFinite' as const,
  ),
  step: count,
  sinceStep: count,
  classIndex: fc.option(classIndex),
  message,
});

const anyNotice: fc.Arbitrary<NoticeEvent> = fc.record({ type: fc.constant('notice' as const), message });

const anyEnd: fc.Arbitrary<EndEvent> = fc.record({
  type: fc.constant('end' as const),
  result: fc.record({
    state: fc.constantFrom('done' as const, 'interrupted' as const, 'failed' as const),
    failure: fc.option(name),
    loss: maybe,
    trainAccuracy: maybe,
    testAccuracy: maybe,
    perClassAccuracy: perClass,
    deadClasses: fc.array(classIndex, { maxLength: 12 }),
    examplesPerSecond: maybe,
    steps: count,
    epochs: figure,
    seconds: figure,
    device: name,
    threads: count,
    seed: count,
    preset: name,
  }),
});

/** Any stream that begins as a run does, sensible or not. */
export const anyEvents: fc.Arbitrary<TrainingEvent[]> = fc
  .tuple(
    anyStart,
    fc.array(
      fc.oneof(
        { arbitrary: anyPoint, weight: 3 },
        { arbitrary: anyWarning, weight: 3 },
        anyNotice,
        anyProgress,
        anyEpoch,
        anyEnd,
      ),
      { maxLength: 24 },
    ),
  )
  .map(([first, rest]) => [first, ...rest]);
