/** Checkpoints for tests: a small one, and any. */

import fc from 'fast-check';
import { tensor } from '../../src/graph/tensor.js';
import type { StateDict } from '../../src/nn/stateDict.js';
import type { Checkpoint } from '../../src/run/checkpoint.js';

/** All that a checkpoint can hold, in 1,200 bytes or so. */
export const SMALL_CHECKPOINT: Checkpoint = {
  snapshot: {
    state: new Map([
      ['0.weight', tensor([2, 2], Float32Array.of(1, -2.5, 0, 1e-40))],
      ['0.bias', tensor([2], Float32Array.of(-0, 3.4e38))],
    ]),
    velocities: new Map([['0.weight', tensor([2, 2], Float32Array.of(0.1, 0.2, 0.3, 0.4))]]),
    progress: {
      step: 30,
      isEvaluated: true,
      metric: [12.5, 7, 64],
      lastEpoch: {
        type: 'epoch',
        epoch: 1.5,
        trainLoss: 0.1 + 0.2,
        trainAccuracy: 7 / 64,
        testAccuracy: 0.25,
        perClassAccuracy: [0.5, null],
      },
      watch: {
        constants: [{ value: 0, since: 3 }, null],
        dead: [0],
        plateauSince: 4,
        isPlateauTold: false,
        averageNorm: 1.25,
      },
      examplesTrained: 480,
      trainingSeconds: 1.5,
      seconds: 2.25,
    },
  },
  events: { bytes: 1234, sha256: 'ab'.repeat(32) },
  bestTestAccuracy: 0.25,
  config: 'cd'.repeat(32),
  engine: { name: 'engine 1.0', device: 'cpu', threads: 2 },
};

const count = fc.nat();
// JSON knows no -0 and no infinities, and a run's figures are never those.
const figure = fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => value + 0);
const seconds = fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => value + 0);
const evaluated = fc.option(figure);

const arbitraryState: fc.Arbitrary<StateDict> = fc
  .uniqueArray(
    fc.tuple(
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('7', '__proto__', 'constructor', '')),
      fc.array(fc.nat(3), { maxLength: 3 }),
      fc.infiniteStream(fc.float()),
    ),
    { selector: ([name]) => name, maxLength: 5 },
  )
  .map(
    (entries) =>
      new Map(
        entries.map(([name, shape, numbers]) => {
          const made = tensor(shape);
          for (let i = 0; i < made.data.length; i++) made.data[i] = numbers.next().value;
          return [name, made];
        }),
      ),
  );

/** Any checkpoint that a run could make, and many that none would: tensors of any bits under names of any kind. */
export const arbitraryCheckpoint: fc.Arbitrary<Checkpoint> = fc.record({
  snapshot: fc.record({
    state: arbitraryState,
    velocities: arbitraryState,
    progress: fc.record({
      step: count,
      isEvaluated: fc.boolean(),
      metric: fc.array(figure, { minLength: 3, maxLength: 3 }),
      lastEpoch: fc.option(
        fc.record({
          type: fc.constant('epoch' as const),
          epoch: figure,
          trainLoss: figure,
          trainAccuracy: figure,
          testAccuracy: evaluated,
          perClassAccuracy: fc.option(fc.array(evaluated)),
        }),
      ),
      watch: fc.record({
        constants: fc.array(fc.option(fc.record({ value: figure, since: count }))),
        dead: fc.array(count),
        plateauSince: fc.option(count),
        isPlateauTold: fc.boolean(),
        averageNorm: evaluated,
      }),
      examplesTrained: count,
      trainingSeconds: seconds,
      seconds,
    }),
  }),
  events: fc.record({ bytes: count, sha256: fc.stringMatching(/^[0-9a-f]{64}$/) }),
  bestTestAccuracy: evaluated,
  config: fc.string(),
  engine: fc.record({ name: fc.string(), device: fc.string(), threads: fc.integer({ min: 1, max: 1024 }) }),
});
