/**
 * The warnings of real training runs: each comes when what it warns of happens, names it rightly, and no healthy run
 * brings one. The networks are tiny and computed by the real engine.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataIter } from '../../src/data/dataLoader.js';
import type { Dataset } from '../../src/data/types.js';
import { tensor } from '../../src/graph/tensor.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { flatten, relu } from '../../src/nn/layers/pointwise.js';
import { adaptiveAvgPool2d } from '../../src/nn/layers/pooling.js';
import { type Sequential, sequential } from '../../src/nn/layers/sequential.js';
import { decodeSafetensors } from '../../src/nn/safetensors.js';
import { loadStateDict, type StateDict, stateDict } from '../../src/nn/stateDict.js';
import type { TrainingConfig } from '../../src/training/config.js';
import {
  isRecorded,
  type RecordedEvent,
  type TrainingEvent,
  type TrainingResult,
  type WarningEvent,
} from '../../src/training/events.js';
import { type Snapshot, Trainer } from '../../src/training/trainer.js';
import { DEAD_WINDOW, PLATEAU_WINDOW, Watch } from '../../src/training/watch.js';
import { jsonLine, nin, temporaryFolder } from '../cli/nin.js';
import { engine } from '../support/runGraph.js';
import { configOf, initialised, smallNet, stripes, stripesIter } from '../training/syntheticRun.js';

interface Outcome {
  readonly recorded: readonly RecordedEvent[];
  readonly warnings: readonly WarningEvent[];
  readonly result: TrainingResult;
  readonly state: StateDict;
  /** At each safe point, in order. */
  readonly snapshots: readonly Snapshot[];
}

interface Task {
  readonly net: Sequential;
  readonly trainIter?: DataIter;
  readonly steps?: number;
  readonly config?: Partial<TrainingConfig>;
  readonly from?: Snapshot;
}

/** A whole run, of 60 steps unless told otherwise. */
async function run({ net, trainIter = stripesIter(240), steps = 60, config, from }: Task): Promise<Outcome> {
  const snapshots: Snapshot[] = [];
  const trainer = new Trainer({
    engine,
    net,
    trainIter,
    config: configOf(net, { epochs: steps / trainIter.length, ...config }),
    from,
    onSafePoint: () => snapshots.push(trainer.snapshot()),
  });
  const events: TrainingEvent[] = [];
  for await (const event of trainer.train()) events.push(event);
  const end = events.at(-1);
  if (end?.type !== 'end') throw new Error('The run did not end.');
  const recorded = events.filter(isRecorded);
  const warnings = recorded.filter((event) => event.type === 'warning');
  return { recorded, warnings, result: end.result, state: trainer.state, snapshots };
}

/** As the book's last block: its logits have gone through a ReLU. */
function bookish(seed = 1): Sequential {
  const net = sequential(conv2d(1, 4, 3), relu(), conv2d(4, 3, 1), relu(), adaptiveAvgPool2d([1, 1]), flatten());
  return withBias(initialised(net, seed), [0.5, 0.5, 0.5]);
}

/** The state with other biases of the last convolution; `undefined` leaves one as it is. */
function changedBias(state: StateDict, biases: readonly (number | undefined)[]): StateDict {
  const bias = state.get('2.bias');
  if (!bias) throw new Error('The network has no such bias.');
  const data = bias.data.map((value, i) => biases[i] ?? value);
  return new Map([...state, ['2.bias', tensor(bias.shape, data)]]);
}

function withBias(net: Sequential, biases: readonly (number | undefined)[]): Sequential {
  loadStateDict(net, changedBias(stateDict(net), biases));
  return net;
}

/** The same moment of a run with other biases. */
const changed = (snapshot: Snapshot | undefined, biases: readonly (number | undefined)[]): Snapshot => {
  if (!snapshot) throw new Error('There is no such snapshot.');
  return { ...snapshot, state: changedBias(snapshot.state, biases) };
};

const allFinite = (state: StateDict) => [...state.values()].every(({ data }) => data.every(Number.isFinite));

/** The kinds, steps and classes of warnings. */
const outline = (warnings: readonly WarningEvent[]) =>
  warnings.map(({ kind, step, sinceStep, classIndex }) => ({ kind, step, sinceStep, classIndex }));

const DEAD = -1000;
const KEPT = undefined;

describe('a class that is dead', () => {
  it('from the start is named once, with the step it died at, in the warning and the result', async () => {
    const { warnings, result } = await run({ net: withBias(bookish(), [KEPT, DEAD]) });
    expect(outline(warnings)).toEqual([{ kind: 'deadClass', step: DEAD_WINDOW, sinceStep: 1, classIndex: 1 }]);
    expect(warnings[0]?.message).toMatch(/^The class "upper" is dead: since step 1 its logit is 0 for every example/);
    expect(result).toMatchObject({ state: 'done', steps: 60, deadClasses: [1] });
  });

  it('beside another one: both are named', async () => {
    const { warnings, result } = await run({ net: withBias(bookish(), [DEAD, KEPT, DEAD]) });
    expect(outline(warnings)).toEqual(
      [0, 2].map((classIndex) => ({ kind: 'deadClass', step: DEAD_WINDOW, sinceStep: 1, classIndex })),
    );
    expect(warnings.map(({ message }) => message.split('"')[1])).toEqual(['left', 'none']);
    expect(result.deadClasses).toEqual([0, 2]);
  });

  it('from the middle of a run on, and comes back later: both are told with their steps', async () => {
    const net = bookish();
    const start = await run({ net, steps: 60 });
    expect(start.warnings).toEqual([]);
    const alive = start.snapshots[9];
    const dead = await run({ net, from: changed(alive, [KEPT, KEPT, DEAD]) });
    expect(outline(dead.warnings)).toEqual([
      { kind: 'deadClass', step: 10 + DEAD_WINDOW, sinceStep: 11, classIndex: 2 },
    ]);
    expect(dead.result.deadClasses).toEqual([2]);

    const last = dead.snapshots.find(({ progress }) => progress.step === 50);
    const back = await run({ net, from: changed(last, [KEPT, KEPT, 0.5]) });
    expect(outline(back.warnings)).toEqual([{ kind: 'aliveClass', step: 51, sinceStep: 51, classIndex: 2 }]);
    expect(back.warnings[0]?.message).toBe('The class "none" is alive again: its logit moves.');
    expect(back.result.deadClasses).toEqual([]);
  });

  it('until brighter images come: its death and life are in one record', async () => {
    // Forty dark batches, then bright ones; the first class answers to bright pixels only.
    const all = stripes(240);
    const images = all.images.map((value, i) => (i < 160 * 64 ? value >> 2 : value));
    const trainIter = new DataIter({ ...all, images }, { batchSize: 4 });
    const net = sequential(conv2d(1, 3, 1), relu(), adaptiveAvgPool2d([1, 1]), flatten());
    initialised(net);
    loadStateDict(
      net,
      new Map([
        ['0.weight', tensor([3, 1, 1, 1], Float32Array.of(5, 1, 0.5))],
        ['0.bias', tensor([3], Float32Array.of(-1.5, 0.5, 0.5))],
      ]),
    );
    const { warnings, result } = await run({ net, trainIter, config: { learningRate: 0.01 } });
    expect(outline(warnings)).toEqual([
      { kind: 'deadClass', step: DEAD_WINDOW, sinceStep: 1, classIndex: 0 },
      { kind: 'aliveClass', step: 41, sinceStep: 41, classIndex: 0 },
    ]);
    expect(result.deadClasses).toEqual([]);
  });

  it('for a step less than the window is not called dead', async () => {
    const { warnings, result } = await run({ net: withBias(bookish(), [DEAD]), steps: DEAD_WINDOW - 1 });
    expect(warnings).toEqual([]);
    expect(result.deadClasses).toEqual([]);
  });

  it('is told the same wherever the run was interrupted', async () => {
    const net = withBias(bookish(), [KEPT, DEAD]);
    const whole = await run({ net });
    for (const step of [1, 12, DEAD_WINDOW - 1, DEAD_WINDOW, DEAD_WINDOW + 1, 59]) {
      const from = whole.snapshots.find(({ progress }) => progress.step === step);
      const at = whole.recorded.findIndex((event) => event.type === 'step' && event.step === step + 1);
      const rest = await run({ net, from });
      expect(rest.recorded).toEqual(whole.recorded.slice(at));
      expect(rest.result.deadClasses).toEqual([1]);
    }
  });
});

describe('the watch alone', () => {
  const alive = { lowest: [-1, -2, -3], highest: [1, 2, 3] };
  const still = { lowest: [-1, 0.5, -3], highest: [1, 0.5, 3] };
  const rest = { loss: 0.5, gradientNorm: 1 };

  it('knows a class that stands still at any value, and one whose logit is one value today and another tomorrow', () => {
    const watch = new Watch(['a', 'b', 'c']);
    for (let step = 1; step <= 100; step++) {
      const value = Math.min(step, 50);
      const logitRange = { lowest: [-1, value, -3], highest: [1, value, 3] };
      const warnings = watch.look({ ...rest, step, logitRange });
      // A logit that only differs from step to step still learns: its bias does.
      if (step !== 50 + DEAD_WINDOW - 1) expect(warnings, `step ${step}`).toEqual([]);
      else expect(outline(warnings)).toEqual([{ kind: 'deadClass', step, sinceStep: 50, classIndex: 1 }]);
    }
  });

  it('tells death and life as often as they come', () => {
    const watch = new Watch(['a', 'b', 'c']);
    const kinds = Array.from({ length: 90 }, (_, i) =>
      watch.look({ ...rest, step: i + 1, logitRange: i % 30 < 29 ? still : alive }),
    ).flatMap((warnings) => warnings.map(({ kind, step, sinceStep }) => `${kind} ${step} ${sinceStep}`));
    expect(kinds).toEqual([
      'deadClass 25 1',
      'aliveClass 30 30',
      'deadClass 55 31',
      'aliveClass 60 60',
      'deadClass 85 61',
      'aliveClass 90 90',
    ]);
  });
});

describe('a plateau', () => {
  /** The images say nothing of their labels, and the network nothing of its images. */
  function guessing(): Task {
    const { labels, ...all } = stripes(480);
    const dataset: Dataset = { ...all, labels: labels.map((_, i) => Math.floor(i / 3) % 3) };
    const trainIter = new DataIter(dataset, { batchSize: 4, shuffle: true, seed: 1 });
    const net = sequential(conv2d(1, 3, 3), adaptiveAvgPool2d([1, 1]), flatten());
    initialised(net);
    loadStateDict(
      net,
      new Map(
        [...stateDict(net)].map(([name, { shape, data }]) => [
          name,
          tensor(
            shape,
            data.map((x) => x / 1000),
          ),
        ]),
      ),
    );
    return { net, trainIter, steps: PLATEAU_WINDOW + 20, config: { learningRate: 1e-4 } };
  }

  it('is told once, after its window, with the step it began at', async () => {
    const { warnings, result } = await run(guessing());
    expect(outline(warnings)).toEqual([{ kind: 'plateau', step: PLATEAU_WINDOW, sinceStep: 1, classIndex: null }]);
    expect(warnings[0]?.message).toContain(`the loss stays at ${Math.log(3).toFixed(3)}`);
    expect(result).toMatchObject({ state: 'done', deadClasses: [] });
  });

  it('of a network whose classes are all dead: that is told too', async () => {
    const { warnings } = await run({ net: withBias(bookish(), [DEAD, DEAD, DEAD]), steps: PLATEAU_WINDOW });
    expect(warnings.map(({ kind, classIndex }) => [kind, classIndex])).toEqual([
      ['deadClass', 0],
      ['deadClass', 1],
      ['deadClass', 2],
      ['plateau', null],
    ]);
  });

  it('that is a step shorter than its window is none', async () => {
    expect((await run({ ...guessing(), steps: PLATEAU_WINDOW - 1 })).warnings).toEqual([]);
  });

  it('is told the same wherever the run was interrupted', async () => {
    const task = guessing();
    const whole = await run(task);
    for (const step of [50, PLATEAU_WINDOW - 1, PLATEAU_WINDOW]) {
      const from = whole.snapshots.find(({ progress }) => progress.step === step);
      const { warnings } = await run({ ...task, from });
      expect(warnings).toEqual(whole.warnings.filter((warning) => warning.step > step));
    }
  });
});

describe('numbers that are not finite', () => {
  it.each([1e3, 1e6, 1e12])(
    'learning rate %d: the run fails at a step it names, with the weights before it',
    async (learningRate) => {
      // Without a ReLU nothing can die instead of growing.
      const net = initialised(
        sequential(conv2d(1, 4, 3), conv2d(4, 4, 3), conv2d(4, 3, 1), adaptiveAvgPool2d([1, 1]), flatten()),
      );
      const { recorded, warnings, result, state, snapshots } = await run({ net, config: { learningRate } });
      expect(result.state).toBe('failed');
      expect(result.failure).toMatch(
        new RegExp(`^(the loss|the norm of the gradient) is (NaN|Infinity) at step ${result.steps + 1}$`),
      );
      const failure = warnings.at(-1);
      expect(failure).toMatchObject({ kind: 'notFinite', step: result.steps + 1, sinceStep: result.steps + 1 });
      expect(failure?.message).toMatch(
        new RegExp(
          `^Training has failed at step ${result.steps + 1}: (the loss|the norm of the gradient) is (NaN|Infinity)\\.`,
        ),
      );
      expect(recorded.at(-1)).toBe(failure);
      expect(result.steps).toBeGreaterThan(0);

      // The last safe point is after the last good step.
      const before = snapshots.at(-1);
      expect(before?.progress.step).toBe(result.steps);
      expect([...state.keys()]).toEqual([...(before?.state.keys() ?? [])]);
      for (const [name, { data }] of state) expect(data, name).toEqual(before?.state.get(name)?.data);
      expect(allFinite(state)).toBe(true);
    },
  );
});

describe('a gradient that explodes', () => {
  /** Images that are nearly black, but for one batch of white ones. */
  function spike(step: number): Task {
    const all = stripes(240);
    const inSpike = (i: number) => Math.floor(i / (4 * 64)) === step - 1;
    const images = all.images.map((value, i) => (inSpike(i) ? 255 : i % 64 === 0 ? 1 + (value % 3) : 0));
    const trainIter = new DataIter({ ...all, images }, { batchSize: 4 });
    // A bias would learn from black images too.
    const net = initialised(sequential(conv2d(1, 3, 1, { bias: false }), adaptiveAvgPool2d([1, 1]), flatten()));
    return { net, trainIter, config: { learningRate: 0.01 } };
  }

  it('is told at its step; the run goes on', async () => {
    const { recorded, warnings, result } = await run(spike(30));
    expect(outline(warnings)).toEqual([{ kind: 'explodingGradient', step: 30, sinceStep: 30, classIndex: null }]);
    const norms = recorded.flatMap((event) => (event.type === 'step' ? [event.gradientNorm] : []));
    expect(norms[29]).toBeGreaterThan(1000 * Math.max(...norms.slice(0, 29)));
    expect(warnings[0]?.message).toContain(`its norm is ${norms[29]?.toPrecision(3)}, `);
    expect(result).toMatchObject({ state: 'done', steps: 60 });
  });

  it('in the first steps, where nothing is settled, is none', async () => {
    expect((await run(spike(10))).warnings).toEqual([]);
  });
});

describe('a healthy run brings no warning', () => {
  it.each<[string, () => Sequential, Partial<TrainingConfig>]>([
    ['with dropout', () => smallNet(), {}],
    ['with a ReLU on its logits, as in the book', () => bookish(), {}],
    [
      'with momentum and a schedule',
      () => smallNet(2),
      {
        schedule: { name: 'oneCycle', warmup: 0.2 },
        optimizer: { momentum: 0.9, nesterov: true, weightDecay: 5e-4, maxGradientNorm: 5 },
        learningRate: 0.02,
      },
    ],
  ])('%s', async (_, net, config) => {
    const { warnings, result } = await run({ net: net(), steps: 600, config });
    expect(warnings).toEqual([]);
    expect(result).toMatchObject({ state: 'done', deadClasses: [] });
    // It has learned: guessing has ln(3) = 1.10 and a third.
    expect(result.loss).toBeLessThan(0.8);
    expect(result.trainAccuracy).toBeGreaterThan(0.6);
  });
});

describe('the command', async () => {
  const folder = await temporaryFolder();
  const resultOf = async (run: string): Promise<unknown> =>
    JSON.parse(await readFile(join(run, 'result.json'), 'utf8'));
  const BOOK = [
    ...['train', '--preset', 'd2l', '--resize', '67', '--batch-size', '4', '--train-examples', '400'],
    ...['--test-examples', '32', '--threads', '1', '--json'],
  ];

  it.each(['1000', '1000000'])('--lr %s: exit code 1, the step, finite weights', async (lr) => {
    const out = join(folder, lr);
    const { code, stdout, stderr } = await nin([...BOOK, '--max-steps', '50', '--lr', lr, '--out', out]);
    expect(code, stderr).toBe(1);
    const { steps, failure, warnings } = jsonLine(stdout) as { steps: number; failure: string; warnings: object[] };
    expect(stderr).toContain(`Training has failed at step ${steps + 1}: `);
    expect(failure).toMatch(new RegExp(`^the .+ is (NaN|-?Infinity) at step ${steps + 1}$`));
    expect(stderr).toMatch(new RegExp(`^failed after ${steps} steps?, epoch .+: ${failure}$`, 'm'));
    expect(warnings.at(-1)).toMatchObject({ kind: 'notFinite', step: steps + 1 });
    expect(allFinite(decodeSafetensors(await readFile(join(out, 'weights.safetensors'))).tensors)).toBe(true);
    expect(await resultOf(out)).toMatchObject({ state: 'failed', steps, failure, warnings });
  });

  it("the book's recipe with a seed that loses classes: exit code 0, and they are named", async () => {
    const out = join(folder, 'dead');
    const { code, stdout, stderr } = await nin([...BOOK, '--max-steps', '30', '--seed', '0', '--out', out]);
    expect(code, stderr).toBe(0);
    const { deadClasses, perClassAccuracy } = jsonLine(stdout) as { deadClasses: number[]; perClassAccuracy: number[] };
    expect(deadClasses).toContain(7);
    expect(deadClasses).toContain(9);
    for (const dead of deadClasses) expect(perClassAccuracy[dead]).toBe(0);
    for (const name of ['sneaker', 'ankle boot']) expect(stderr).toMatch(new RegExp(`The class "${name}" is dead`));

    // All that is in the record, also when the run was resumed where it was told already.
    const record = (await readFile(join(out, 'events.jsonl'), 'utf8')).trimEnd().split('\n');
    const warnings = record.map((line) => JSON.parse(line) as RecordedEvent).filter(({ type }) => type === 'warning');
    expect(warnings).toHaveLength(deadClasses.length);
    expect(await resultOf(out)).toMatchObject({ state: 'done', failure: null, deadClasses, warnings });
    const resumed = await nin(['train', '--resume', out, '--json']);
    expect(jsonLine(resumed.stdout)).toMatchObject({ failure: null, deadClasses, warnings });
    expect(await resultOf(out)).toMatchObject({ warnings });
  });
});
