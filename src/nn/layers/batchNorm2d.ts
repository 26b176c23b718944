/**
 * Batch normalisation of each channel (Ioffe and Szegedy 2015), with PyTorch's conventions: training normalises by
 * the batch's biased variance and follows the unbiased one.
 */

import * as build from '../../graph/build.js';
import type { Value } from '../../graph/graph.js';
import { sizeOf } from '../../graph/tensorType.js';
import { type BufferSpec, type BuildContext, Layer, type LayerSpec, type ParameterSpec } from '../layer.js';
import { positiveInteger } from './options.js';

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

export class BatchNorm2d extends Layer {
  readonly type = 'BatchNorm2d';
  readonly numFeatures: number;
  readonly #weight: ParameterSpec;
  readonly #bias: ParameterSpec;
  readonly #mean: BufferSpec;
  readonly #variance: BufferSpec;
  override readonly parameterSpecs: readonly ParameterSpec[];
  override readonly bufferSpecs: readonly BufferSpec[];

  constructor(numFeatures: number) {
    super();
    this.numFeatures = positiveInteger('BatchNorm2d', 'numFeatures', numFeatures);
    const shape = [numFeatures];
    this.#weight = { name: 'weight', role: 'scale', shape, fanIn: 1, fanOut: 1 };
    this.#bias = { name: 'bias', role: 'shift', shape, fanIn: 1, fanOut: 1 };
    this.#mean = { name: 'running_mean', shape, initial: 0 };
    this.#variance = { name: 'running_var', shape, initial: 1 };
    this.parameterSpecs = [this.#weight, this.#bias];
    this.bufferSpecs = [this.#mean, this.#variance];
  }

  build(x: Value, context: BuildContext): Value {
    const weight = context.parameter(this.#weight);
    const bias = context.parameter(this.#bias);
    const runningMean = context.buffer(this.#mean);
    const runningVariance = context.buffer(this.#variance);
    if (!context.training) {
      return build.batchNorm2dInference(x, weight, bias, runningMean, runningVariance, EPSILON);
    }
    const { y, mean, variance } = build.batchNorm2d(x, weight, bias, EPSILON);
    const count = sizeOf(x.shape) / this.numFeatures;
    const unbiased = build.affine(variance, count / Math.max(1, count - 1), 0);
    context.updateBuffer(this.#mean, build.movingAverage(runningMean, mean, MOMENTUM));
    context.updateBuffer(this.#variance, build.movingAverage(runningVariance, unbiased, MOMENTUM));
    return y;
  }

  toJSON(): LayerSpec {
    return { type: this.type, numFeatures: this.numFeatures };
  }

  override toString(): string {
    return `BatchNorm2d(${this.numFeatures})`;
  }
}

/** Batch normalisation of N x numFeatures x H x W; epsilon 1e-5, momentum 0.1. */
export const batchNorm2d = (numFeatures: number): BatchNorm2d => new BatchNorm2d(numFeatures);
