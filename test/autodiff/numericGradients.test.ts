/** Every gradient rule, over random shapes and attributes, against central differences of the operator itself. */

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { lossGradients } from '../../src/autodiff/gradients.js';
import * as build from '../../src/graph/build.js';
import type { Value } from '../../src/graph/graph.js';
import { distinctNumbers, expectGradients, numbers } from './expectGradients.js';

/** For linear operators the differences are exact; what is left is the rounding of factors such as 1/3. */
const LINEAR = { step: 1 / 16, tolerance: 3e-6 };

/**
 * For curved operators: rounding of 6e-8 over a step of 1/32 is 2e-6, and the fifth derivatives (a deviation of at
 * least 0.5 in batch normalisation, a softmax elsewhere) add at most as much again. A wrong term costs 1e-2 and more.
 */
const CURVED = { step: 1 / 32, tolerance: 5e-5 };

/** Distance of values at a kink: more than twice the farthest move, 2 * step * 1. */
const GAP = 1 / 2;

const small = fc.integer({ min: 1, max: 3 });
const side = fc.integer({ min: 0, max: 6 });
const seed = fc.integer({ min: 0, max: 1_000_000 });
const runs = (numRuns: number) => ({ numRuns });

const at = (values: Readonly<Record<string, Value>>, name: string) => values[name] as Value;

/** Sides of an image into which the window fits: the smallest that it fits, and some more. */
const sideFor = (kernelSize: number, padding: number, more: number) => Math.max(1, kernelSize - 2 * padding) + more;

describe('gradients equal central differences', () => {
  it('of conv2d, for input, weight and bias', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: small,
          channels: small,
          outChannels: small,
          kernel: fc.integer({ min: 1, max: 5 }),
          stride: small,
          padding: fc.integer({ min: 0, max: 3 }),
          moreRows: side,
          moreColumns: side,
          hasBias: fc.boolean(),
          seed,
        }),
        async (c) => {
          const [rows, columns] = [
            sideFor(c.kernel, c.padding, c.moreRows),
            sideFor(c.kernel, c.padding, c.moreColumns),
          ];
          await expectGradients({
            inputs: {
              x: numbers(c.seed, [c.batch, c.channels, rows, columns]),
              weight: numbers(c.seed + 1, [c.outChannels, c.channels, c.kernel, c.kernel]),
              ...(c.hasBias && { bias: numbers(c.seed + 2, [c.outChannels]) }),
            },
            wanted: ['x', 'weight', ...(c.hasBias ? ['bias'] : [])],
            build: (v) => build.conv2d(at(v, 'x'), at(v, 'weight'), v.bias, c.stride, c.padding),
            seed: c.seed,
            ...LINEAR,
          });
        },
      ),
      runs(120),
    );
  });

  it('of maxPool2d', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }).chain((kernelSize) =>
          fc.record({
            batch: small,
            channels: small,
            kernelSize: fc.constant(kernelSize),
            stride: small,
            padding: fc.integer({ min: 0, max: Math.floor(kernelSize / 2) }),
            moreRows: side,
            moreColumns: side,
            seed,
          }),
        ),
        async ({ batch, channels, moreRows, moreColumns, seed, ...window }) => {
          const { kernelSize, padding } = window;
          const shape = [
            batch,
            channels,
            sideFor(kernelSize, padding, moreRows),
            sideFor(kernelSize, padding, moreColumns),
          ];
          await expectGradients({
            inputs: { x: distinctNumbers(seed, shape, GAP) },
            wanted: ['x'],
            build: (v) => build.maxPool2d(at(v, 'x'), window),
            seed,
            ...LINEAR,
          });
        },
      ),
      runs(60),
    );
  });

  it('of adaptiveAvgPool2d, shrinking and enlarging', async () => {
    const length = fc.integer({ min: 1, max: 7 });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(small, small, length, length),
        length,
        length,
        seed,
        async (shape, height, width, s) => {
          await expectGradients({
            inputs: { x: numbers(s, shape) },
            wanted: ['x'],
            build: (v) => build.adaptiveAvgPool2d(at(v, 'x'), height, width),
            seed: s,
            ...LINEAR,
          });
        },
      ),
      runs(40),
    );
  });

  it('of batchNorm2d, for input, weight and bias', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(small, small, fc.integer({ min: 2, max: 4 }), fc.integer({ min: 3, max: 5 })),
        seed,
        async (shape, s) => {
          const [, channels] = shape;
          // Spread evenly, the values of no channel have a small deviation, whose powers the derivatives are divided by.
          const spread = distinctNumbers(s, [shape[0], shape[2], shape[3]], 1 / 4).data;
          const area = shape[2] * shape[3];
          const x = Float32Array.from({ length: channels * spread.length }, (_, i) => {
            const image = Math.floor(i / (channels * area));
            return (spread[image * area + (i % area)] as number) * (1 + (Math.floor(i / area) % channels));
          });
          await expectGradients({
            inputs: {
              x: { shape, data: x },
              weight: numbers(s + 1, [channels]),
              bias: numbers(s + 2, [channels]),
            },
            wanted: ['x', 'weight', 'bias'],
            build: (v) => build.batchNorm2d(at(v, 'x'), at(v, 'weight'), at(v, 'bias'), 1e-5).y,
            seed: s,
            ...CURVED,
          });
        },
      ),
      runs(30),
    );
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('of matmul with transposeA %s and transposeB %s', async (transposeA, transposeB) => {
    const length = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(length, length, length, seed, async (rows, inner, columns, s) => {
        await expectGradients({
          inputs: {
            a: numbers(s, transposeA ? [inner, rows] : [rows, inner]),
            b: numbers(s + 1, transposeB ? [columns, inner] : [inner, columns]),
          },
          wanted: ['a', 'b'],
          build: (v) => build.matmul(at(v, 'a'), at(v, 'b'), transposeA, transposeB),
          seed: s,
          ...LINEAR,
        });
      }),
      runs(15),
    );
  });

  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

  it('of relu', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, seed, async (shape, s) => {
        await expectGradients({
          inputs: { x: distinctNumbers(s, shape, GAP) },
          wanted: ['x'],
          build: (v) => build.relu(at(v, 'x')),
          seed: s,
          ...LINEAR,
        });
      }),
      runs(20),
    );
  });

  it('of affine', async () => {
    // Multiples of 1/8, so that nothing is rounded; 0 and 1 are special to the engine.
    const eighth = fc.integer({ min: -16, max: 16 }).map((n) => n / 8);
    await fc.assert(
      fc.asyncProperty(shapes, eighth, eighth, seed, async (shape, scale, shift, s) => {
        await expectGradients({
          inputs: { x: numbers(s, shape) },
          wanted: ['x'],
          build: (v) => build.affine(at(v, 'x'), scale, shift),
          seed: s,
          ...LINEAR,
        });
      }),
      runs(20),
    );
  });

  it.each([
    ['add', build.add],
    ['multiply', build.multiply],
  ] as const)('of %s', async (_, operator) => {
    await fc.assert(
      fc.asyncProperty(shapes, seed, async (shape, s) => {
        await expectGradients({
          inputs: { a: numbers(s, shape), b: numbers(s + 1, shape) },
          wanted: ['a', 'b'],
          build: (v) => operator(at(v, 'a'), at(v, 'b')),
          seed: s,
          ...LINEAR,
        });
      }),
      runs(15),
    );
  });

  it('of addBias', async () => {
    const length = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(length, length, seed, async (batch, features, s) => {
        await expectGradients({
          inputs: { x: numbers(s, [batch, features]), bias: numbers(s + 1, [features]) },
          wanted: ['x', 'bias'],
          build: (v) => build.addBias(at(v, 'x'), at(v, 'bias')),
          seed: s,
          ...LINEAR,
        });
      }),
      runs(15),
    );
  });

  it('of reshape', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, seed, async (shape, s) => {
        await expectGradients({
          inputs: { x: numbers(s, shape) },
          wanted: ['x'],
          build: (v) => build.reshape(at(v, 'x'), [...shape].reverse()),
          seed: s,
          ...LINEAR,
        });
      }),
      runs(15),
    );
  });

  it('of the loss, through a fully connected layer', async () => {
    const length = fc.integer({ min: 1, max: 5 });
    await fc.assert(
      fc.asyncProperty(length, length, fc.integer({ min: 2, max: 8 }), seed, async (batch, features, classes, s) => {
        const labels = Int32Array.from(numbers(s + 3, [batch]).data, (x) => Math.abs(64 * x) % classes);
        // Some weights are 0, as those of padding.
        const weights = numbers(s + 4, [batch]).data.map((w) => Math.max(0, w));
        const logits = (v: Readonly<Record<string, Value>>) =>
          build.addBias(build.matmul(at(v, 'x'), at(v, 'weight')), at(v, 'bias'));
        await expectGradients({
          inputs: {
            x: numbers(s, [batch, features]),
            weight: numbers(s + 1, [features, classes]),
            bias: numbers(s + 2, [classes]),
            labels: { shape: [batch], data: labels },
            weights: { shape: [batch], data: weights },
          },
          wanted: ['x', 'weight', 'bias'],
          build: (v) => build.softmaxCrossEntropy(logits(v), at(v, 'labels'), at(v, 'weights')),
          gradients: (v, wanted) => lossGradients(logits(v), at(v, 'labels'), at(v, 'weights'), wanted),
          seed: s,
          ...CURVED,
        });
      }),
      runs(30),
    );
  });
});

describe('a value that is used more than once gets the sum of its gradients', () => {
  const shape = [2, 3];
  it.each<[string, (x: Value, w: Value) => Value]>([
    ['by the same node', (x) => build.add(x, x)],
    ['as both factors', (x) => build.multiply(x, x)],
    ['on two paths that meet', (x, w) => build.multiply(build.add(x, w), build.affine(x, 3, 1))],
    [
      'three times, once behind a value that is itself used twice',
      (x, w) => {
        const product = build.multiply(x, w);
        return build.add(build.add(product, x), build.multiply(product, x));
      },
    ],
  ])('%s', async (_, f) => {
    await expectGradients({
      inputs: { x: numbers(1, shape), w: numbers(2, shape) },
      wanted: ['x'],
      build: (v) => f(at(v, 'x'), at(v, 'w')),
      seed: 3,
      ...LINEAR,
    });
  });
});
