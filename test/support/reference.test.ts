/** The TypeScript twins of make_fixtures.py give what numpy gave, and the comparisons measure what they say. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  hashMask,
  hashUniform,
  loadBatchNormTraining,
  loadHashValues,
  loadNinStep,
  loadNinTraining,
  loadOperatorCases,
  loadResizeCases,
  loadTinyTraining,
  maximumError,
  relativeError,
  resizeReference,
  sampleErrors,
  sizeOf,
} from './reference.js';

describe('hash', () => {
  const { hash, masks } = loadHashValues();

  it.each(hash)('uniform numbers of seed $seed equal numpy', ({ seed, values }) => {
    expect([...hashUniform(seed, values.length)]).toEqual(values);
  });

  it.each(masks)('mask of seed $seed and rate $rate equals numpy', ({ seed, rate, values }) => {
    expect([...hashMask(seed, values.length, rate)]).toEqual(values);
  });
});

describe('operator cases', () => {
  it('decode, with the shapes that they state', () => {
    for (const { inputs, outputs, gradients } of loadOperatorCases('conv2d')) {
      for (const { shape, data } of [inputs, outputs, gradients].flatMap((tensors) => Object.values(tensors))) {
        expect(data).toHaveLength(sizeOf(shape));
      }
    }
  });

  it('follow from their inputs: dropout is a product', () => {
    for (const { inputs, outputs } of loadOperatorCases('dropout')) {
      const product = inputs.x?.data.map((x, i) => x * (inputs.mask?.data[i] ?? Number.NaN));
      expect([...(product ?? [])]).toEqual([...(outputs.y?.data ?? [])]);
    }
  });
});

describe('training fixtures', () => {
  it('decode, with the shapes that they state', () => {
    const { parameters, mask, gradients } = loadNinStep();
    const tiny = loadTinyTraining();
    const batchNorm = loadBatchNormTraining();
    for (const map of [parameters, { mask }, tiny.parameters, batchNorm.parameters, batchNorm.finalBuffers]) {
      for (const { shape, data } of Object.values(map)) expect(data).toHaveLength(sizeOf(shape));
    }
    for (const map of [gradients, tiny.final, batchNorm.final]) {
      for (const { shape, stride, data } of Object.values(map)) {
        expect(data).toHaveLength(Math.ceil(sizeOf(shape) / stride));
      }
    }
    const { losses, untrained, optimizer } = loadNinTraining();
    expect(losses).toHaveLength(20);
    expect(untrained[0]).toBe(losses[0]);
    expect(optimizer.learningRate).toBe(2e-4);
    expect(tiny.batchSize).toBe(8);
    expect(tiny.images).toHaveLength(784 * tiny.labels.length);
  });
});

describe('resizeReference', () => {
  it('equals Pillow in every byte', () => {
    for (const { name, image, size, sha256, result } of loadResizeCases()) {
      const actual = resizeReference(image, 28, size);
      expect(createHash('sha256').update(actual).digest('hex'), `${name} at ${size}`).toBe(sha256);
      if (result) expect(Buffer.compare(actual, result)).toBe(0);
    }
  });
});

describe('comparisons', () => {
  it('are relative to the size of what is expected', () => {
    expect(relativeError([3, 4], [3, 4])).toBe(0);
    expect(relativeError([3, 5], [3, 4])).toBeCloseTo(0.2);
    expect(maximumError([3, 5], [3, 4])).toBeCloseTo(0.25);
    expect(relativeError([Number.NaN, 4], [3, 4])).toBeNaN();
    expect(maximumError([Number.NaN, 4], [3, 4])).toBeNaN();
    expect(() => relativeError([1], [1, 2])).toThrow('There are 1 values where the reference has 2.');
  });

  it('sees an error outside the sample in the norm and the sum', () => {
    const sample = {
      shape: [2, 2],
      stride: 3,
      data: Float32Array.of(1, 4),
      norm: Math.sqrt(30),
      sum: 10,
      float32Error: 0,
    };
    expect(sampleErrors([1, 2, 3, 4], sample)).toEqual({ elements: 0, norm: expect.closeTo(0), sum: 0 });
    const wrong = sampleErrors([1, 2, 5, 4], sample);
    expect(wrong.elements).toBe(0);
    expect(wrong.norm).toBeGreaterThan(0.1);
    expect(wrong.sum).toBeGreaterThan(0.1);
  });
});
