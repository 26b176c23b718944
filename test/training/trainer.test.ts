/** The training loop: its events in order and at the book's places, its averages, its ends, and that it repeats. */

import { describe, expect, it } from 'vitest';
import type { DataIter } from '../../src/data/dataLoader.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { flatten } from '../../src/nn/layers/pointwise.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import { stateDict } from '../../src/nn/stateDict.js';
import type { TrainingConfig } from '../../src/training/config.js';
import {
  isRecorded,
  type PointEvent,
  type RecordedEvent,
  type StartEvent,
  type StepEvent,
  type TrainingEvent,
  type TrainingResult,
} from '../../src/training/events.js';
import { type Snapshot, Trainer, type TrainerOptions } from '../../src/training/trainer.js';
import { engine } from '../support/runGraph.js';
import { configOf, initialised, smallNet, stripesIter } from './syntheticRun.js';

interface Outcome {
  readonly events: readonly TrainingEvent[];
  readonly recorded: readonly RecordedEvent[];
  readonly result: TrainingResult;
  readonly state: ReadonlyMap<string, Tensor>;
}

interface Task extends Partial<Omit<TrainerOptions, 'config'>> {
  readonly config?: Partial<TrainingConfig>;
  /** Told of each event; may stop the trainer. */
  readonly onEvent?: (event: TrainingEvent, trainer: Trainer) => void;
}

/** A whole run; on 50 examples in 13 batches unless told otherwise. */
async function run({
  config,
  onEvent,
  net = smallNet(),
  trainIter = stripesIter(50),
  ...rest
}: Task): Promise<Outcome> {
  const trainer = new Trainer({ engine, net, trainIter, config: configOf(net, config), ...rest });
  const events: TrainingEvent[] = [];
  for await (const event of trainer.train()) {
    events.push(event);
    onEvent?.(event, trainer);
  }
  const end = events.at(-1);
  if (end?.type !== 'end') throw new Error('The run did not end.');
  return { events, recorded: events.filter(isRecorded), result: end.result, state: trainer.state };
}

const testIter = () => stripesIter(30, { shuffle: false, batchSize: 7 });

const ofType = <Type extends TrainingEvent['type']>(events: readonly TrainingEvent[], type: Type) =>
  events.filter((event): event is Extract<TrainingEvent, { type: Type }> => event.type === type);

const isTest = (event: PointEvent) => event.testAccuracy !== undefined;

/** The events of a run in short: `point` is one of the training curves, `test` one of the test curve. */
const outline = (events: readonly RecordedEvent[]) =>
  events.map((event) => (event.type === 'point' && isTest(event) ? 'test' : event.type)).join(' ');

/** Bytes of all tensors. */
const bytesOf = (state: ReadonlyMap<string, Tensor>) =>
  [...state].map(([name, { data }]) => [name, ...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);

describe('the events of a run', async () => {
  const { events, recorded, result } = await run({ config: { epochs: 2 }, testIter: testIter() });

  it('come in order: start, steps with points between them, test point and epoch, end', () => {
    // 13 batches: a point after every second of them, as 13 / 5 is 2, and after the last.
    const epoch = `${'step step point '.repeat(6)}step point test epoch`;
    expect(outline(recorded)).toBe(`start ${epoch} ${epoch}`);
    expect(events.at(0)?.type).toBe('start');
    expect(events.at(-1)?.type).toBe('end');
  });

  it('start with what is trained on what', () => {
    expect(recorded[0]).toEqual({
      type: 'start',
      model: 'small',
      parameterCount: 4 * 9 + 4 + 16 * 3 + 3,
      device: 'cpu',
      engine: engine.name,
      threads: 1,
      preset: 'custom',
      imageSize: [8, 8],
      trainExamples: 50,
      testExamples: 30,
      batchSize: 4,
      epochs: 2,
      stepsPerEpoch: 13,
      totalSteps: 26,
      seed: 7,
      classNames: ['left', 'upper', 'none'],
    } satisfies StartEvent);
  });

  it('number the steps from 1, and the epochs they have reached', () => {
    const steps = ofType(events, 'step');
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 26 }, (_, i) => i + 1));
    for (const { step, epoch } of steps) expect(epoch).toBe(step / 13);
    expect(ofType(events, 'epoch').map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('have points at the places of the book', () => {
    const points = ofType(events, 'point').filter((point) => !isTest(point));
    const places = Array.from({ length: 13 }, (_, i) => i).filter(
      (i) => (i + 1) % Math.floor(13 / 5) === 0 || i === 12,
    );
    expect(points.map(({ epoch }) => epoch)).toEqual(
      [0, 1].flatMap((done) => places.map((i) => (13 * done + i + 1) / 13)),
    );
  });

  it('have the running averages over the epoch so far', () => {
    let metric = { loss: 0, correct: 0, examples: 0 };
    let compared = 0;
    for (const event of recorded) {
      if (event.type === 'step') {
        if (event.step % 13 === 1) metric = { loss: 0, correct: 0, examples: 0 };
        const examples = event.step % 13 === 0 ? 2 : 4;
        metric.loss += event.loss * examples;
        metric.correct += event.accuracy * examples;
        metric.examples += examples;
      } else if (event.type === 'epoch' || (event.type === 'point' && !isTest(event))) {
        expect(event.trainLoss).toBeCloseTo(metric.loss / metric.examples, 10);
        expect(event.trainAccuracy).toBeCloseTo(metric.correct / metric.examples, 10);
        compared++;
      }
    }
    expect(metric.examples).toBe(50);
    expect(compared).toBe(2 * (7 + 1));
  });

  it('have the test accuracy of each class', () => {
    for (const epoch of ofType(events, 'epoch')) {
      expect(epoch.perClassAccuracy).toHaveLength(3);
      // Each class has ten of the thirty examples.
      const sum = (epoch.perClassAccuracy ?? []).reduce<number>((total, share) => total + (share ?? Number.NaN), 0);
      expect(epoch.testAccuracy).toBeCloseTo(sum / 3, 10);
    }
    const tests = ofType(events, 'point').filter(isTest);
    expect(tests.map(({ testAccuracy }) => testAccuracy)).toEqual(ofType(events, 'epoch').map((e) => e.testAccuracy));
    expect(tests.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('end with what the last epoch came to', () => {
    const last = ofType(events, 'epoch').at(-1);
    expect(result).toMatchObject({
      state: 'done',
      loss: last?.trainLoss,
      trainAccuracy: last?.trainAccuracy,
      testAccuracy: last?.testAccuracy,
      perClassAccuracy: last?.perClassAccuracy,
      deadClasses: [],
      steps: 26,
      epochs: 2,
      device: 'cpu',
      threads: 1,
      seed: 7,
      preset: 'custom',
    });
    expect(result.examplesPerSecond).toBeGreaterThan(0);
    expect(result.seconds).toBeGreaterThan(0);
  });

  it('are plain JSON', () => {
    expect(JSON.parse(JSON.stringify(events))).toEqual(events);
  });
});

describe('a run', () => {
  it('learns', async () => {
    const { result, events } = await run({ config: { epochs: 12 }, testIter: testIter() });
    expect(result.testAccuracy).toBe(1);
    expect(result.loss).toBeLessThan((ofType(events, 'epoch')[0]?.trainLoss ?? 0) / 2);
  });

  it('leaves the network alone: the trained tensors are the trainer’s', async () => {
    const net = smallNet();
    const before = bytesOf(stateDict(net));
    const { state } = await run({ net });
    expect(bytesOf(stateDict(net))).toEqual(before);
    expect(bytesOf(state)).not.toEqual(before);
  });

  it('with the same seed gives the same record and the same weights, bit for bit', async () => {
    const optimizer = { momentum: 0.9, nesterov: true, weightDecay: 1e-3, maxGradientNorm: 1 };
    const [one, other] = [
      await run({ config: { optimizer }, testIter: testIter() }),
      await run({ config: { optimizer }, testIter: testIter() }),
    ];
    expect(other.recorded).toEqual(one.recorded);
    expect(bytesOf(other.state)).toEqual(bytesOf(one.state));
    const another = await run({ config: { optimizer, seed: 8 }, testIter: testIter() });
    expect(bytesOf(another.state)).not.toEqual(bytesOf(one.state));
  });

  it('plots every batch where an epoch has fewer than five', async () => {
    const { recorded } = await run({ trainIter: stripesIter(12) });
    expect(outline(recorded)).toBe('start step point step point step point epoch');
  });

  it('without test examples has no test accuracy', async () => {
    const { recorded, result } = await run({ trainIter: stripesIter(8), config: { epochs: 2 } });
    expect(outline(recorded)).toBe('start step point step point epoch step point step point epoch');
    expect(recorded.at(-1)).toMatchObject({ type: 'epoch', testAccuracy: null, perClassAccuracy: null });
    expect(recorded[0]).toMatchObject({ testExamples: 0 });
    expect(result).toMatchObject({ state: 'done', testAccuracy: null, perClassAccuracy: null, steps: 4 });
  });

  it('of fractional epochs ends inside one, with a point, an evaluation and an epoch event there', async () => {
    const { recorded, result } = await run({ config: { epochs: 1.25 }, testIter: testIter() });
    const first = `${'step step point '.repeat(6)}step point test epoch`;
    // 1.25 * 13 = 16.25 batches: three more after the first epoch.
    expect(outline(recorded)).toBe(`start ${first} step step point step point test epoch`);
    expect(recorded[0]).toMatchObject({ epochs: 16 / 13, totalSteps: 16 });
    expect(recorded.at(-1)).toMatchObject({ type: 'epoch', epoch: 16 / 13 });
    expect(result).toMatchObject({ state: 'done', steps: 16, epochs: 16 / 13 });
  });

  it('ends after maxSteps', async () => {
    const { recorded, result } = await run({ config: { epochs: 5, maxSteps: 3 }, testIter: testIter() });
    expect(outline(recorded)).toBe('start step step point step point test epoch');
    expect(result).toMatchObject({ state: 'done', steps: 3, epochs: 3 / 13 });
    expect(result.testAccuracy).not.toBeNull();
  });

  it('follows its schedule', async () => {
    const { events } = await run({
      config: { maxSteps: 4, learningRate: 0.2, schedule: { name: 'oneCycle', warmup: 0.5 } },
    });
    expect(ofType(events, 'step').map(({ learningRate }) => learningRate)).toEqual([0.1, 0.2, 0.2, 0.1]);
  });

  it('follows the order of its iterator', async () => {
    // A network without hidden layers and dropout, so slow that all losses are those of the first weights.
    const net = initialised(sequential(conv2d(1, 3, 8), flatten()));
    const lossesOf = async (trainIter: DataIter) =>
      ofType((await run({ net, trainIter, config: { epochs: 2, learningRate: 1e-12 } })).events, 'step').map(
        (s) => s.loss,
      );
    const ordered = await lossesOf(stripesIter(20, { shuffle: false }));
    const shuffled = await lossesOf(stripesIter(20));
    expect(ordered.slice(5)).toEqual(ordered.slice(0, 5));
    expect(shuffled.slice(5)).not.toEqual(shuffled.slice(0, 5));
    const sum = (losses: readonly number[]) => losses.reduce((a, b) => a + b, 0);
    expect(sum(shuffled)).toBeCloseTo(sum(ordered), 4);
  });
});

describe('stop()', () => {
  it('ends the run after the step that is under way', async () => {
    const { recorded, result } = await run({
      testIter: testIter(),
      onEvent: (event, trainer) => {
        if (event.type === 'step' && event.step === 3) trainer.stop();
      },
    });
    expect(outline(recorded)).toBe('start step step point step');
    const steps = ofType(recorded, 'step');
    const loss = steps.reduce((sum, step: StepEvent) => sum + step.loss, 0) / 3;
    expect(result).toMatchObject({ state: 'interrupted', steps: 3, epochs: 3 / 13, testAccuracy: null });
    expect(result.loss).toBeCloseTo(loss, 10);
  });

  it('before the first step ends the run without one', async () => {
    const { recorded, result } = await run({ onEvent: (_, trainer) => trainer.stop() });
    expect(outline(recorded)).toBe('start');
    expect(result).toMatchObject({
      state: 'interrupted',
      steps: 0,
      loss: null,
      trainAccuracy: null,
      testAccuracy: null,
      examplesPerSecond: null,
    });
  });

  it('between two epochs ends the run with the figures of the epoch that is done', async () => {
    const { recorded, result } = await run({
      config: { epochs: 3 },
      testIter: testIter(),
      onEvent: (event, trainer) => {
        if (event.type === 'epoch') trainer.stop();
      },
    });
    const epoch = recorded.at(-1);
    if (epoch?.type !== 'epoch') throw new Error('The epoch is missing.');
    expect(result).toMatchObject({ state: 'interrupted', steps: 13, epochs: 1 });
    expect(result).toMatchObject({ loss: epoch.trainLoss, testAccuracy: epoch.testAccuracy });
  });

  it('before the last evaluation leaves the run interrupted, without a test accuracy', async () => {
    const { recorded, result } = await run({
      testIter: testIter(),
      onEvent: (event, trainer) => {
        if (event.type === 'step' && event.step === 13) trainer.stop();
      },
    });
    expect(recorded.at(-1)?.type).toBe('point');
    expect(result).toMatchObject({ state: 'interrupted', steps: 13, epochs: 1, testAccuracy: null });
    expect(result.loss).not.toBeNull();
  });
});

describe('a run that goes on from a snapshot', () => {
  const task = () => ({
    config: { epochs: 2, optimizer: { momentum: 0.9, nesterov: false, weightDecay: 0, maxGradientNorm: null } },
    trainIter: stripesIter(20),
    testIter: testIter(),
  });

  it('records what the uninterrupted run records after it, and ends with the same weights, wherever it was', async () => {
    const snapshots: { snapshot: Snapshot; recordedBefore: number }[] = [];
    const net = smallNet();
    const trainer = new Trainer({
      engine,
      net,
      ...task(),
      config: configOf(net, task().config),
      onSafePoint: () => snapshots.push({ snapshot: trainer.snapshot(), recordedBefore: recorded.length }),
    });
    const recorded: RecordedEvent[] = [];
    for await (const event of trainer.train()) if (isRecorded(event)) recorded.push(event);
    // Ten steps and two ends of epochs.
    expect(snapshots).toHaveLength(12);
    for (const { snapshot, recordedBefore } of snapshots) {
      const rest = await run({ ...task(), from: snapshot });
      expect(rest.recorded).toEqual(recorded.slice(recordedBefore));
      expect(bytesOf(rest.state)).toEqual(bytesOf(trainer.state));
      expect(rest.result).toMatchObject({ state: 'done', steps: 10, epochs: 2 });
    }
  });
});

describe('a run whose loss is not finite', () => {
  it('fails at that step, says why, and keeps the weights from before', async () => {
    const net = smallNet();
    stateDict(net).get('5.bias')?.data.fill(Number.NaN);
    const { recorded, result, state } = await run({ net, testIter: testIter() });
    expect(outline(recorded)).toBe('start warning');
    expect(recorded[1]).toMatchObject({ kind: 'notFinite', step: 1 });
    expect(result).toMatchObject({ state: 'failed', steps: 0, loss: null, testAccuracy: null });
    expect(bytesOf(state)).toEqual(bytesOf(stateDict(net)));
  });
});
