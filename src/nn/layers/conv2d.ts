/** Two-dimensional convolution (cross-correlation, as in PyTorch), square kernels. */

import * as build from '../../graph/build.js';
import type { Value } from '../../graph/graph.js';
import { windowOutput } from '../../graph/operators.js';
import type { Shape } from '../../graph/tensorType.js';
import { type BuildContext, Layer, type LayerSpec, type ParameterSpec } from '../layer.js';
import { positiveInteger, wholeNumber } from './options.js';

export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Zeros added at each side. Default 0. */
  readonly padding?: number;
  /** Whether each output channel has a bias. Default true. */
  readonly bias?: boolean;
}

export class Conv2d extends Layer {
  readonly type = 'Conv2d';
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
  readonly #weight: ParameterSpec;
  readonly #bias: ParameterSpec | undefined;
  override readonly parameterSpecs: readonly ParameterSpec[];

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: Conv2dOptions = {}) {
    super();
    this.inChannels = positiveInteger('Conv2d', 'inChannels', inChannels);
    this.outChannels = positiveInteger('Conv2d', 'outChannels', outChannels);
    this.kernelSize = positiveInteger('Conv2d', 'kernelSize', kernelSize);
    this.stride = positiveInteger('Conv2d', 'stride', options.stride ?? 1);
    this.padding = wholeNumber('Conv2d', 'padding', options.padding ?? 0);
    const area = kernelSize * kernelSize;
    const fan = { fanIn: inChannels * area, fanOut: outChannels * area };
    const shape = [outChannels, inChannels, kernelSize, kernelSize];
    this.#weight = { name: 'weight', role: 'weight', shape, ...fan };
    this.#bias = (options.bias ?? true) ? { name: 'bias', role: 'bias', shape: [outChannels], ...fan } : undefined;
    this.parameterSpecs = this.#bias ? [this.#weight, this.#bias] : [this.#weight];
  }

  build(x: Value, context: BuildContext): Value {
    const bias = this.#bias && context.parameter(this.#bias);
    return build.conv2d(x, context.parameter(this.#weight), bias, this.stride, this.padding);
  }

  override multiplyAdds([batch = 1, , height = 0, width = 0]: Shape): number {
    const [rows, columns] = [height, width].map((n) => windowOutput(n, this.kernelSize, this.stride, this.padding));
    return batch * (rows ?? 0) * (columns ?? 0) * this.outChannels * this.#weight.fanIn;
  }

  toJSON(): LayerSpec {
    const { type, inChannels, outChannels, kernelSize, stride, padding } = this;
    return { type, inChannels, outChannels, kernelSize, stride, padding, bias: this.#bias !== undefined };
  }

  override toString(): string {
    const stride = this.stride === 1 ? '' : `, stride=${this.stride}`;
    const padding = this.padding === 0 ? '' : `, padding=${this.padding}`;
    return `Conv2d(${this.inChannels}, ${this.outChannels}, kernelSize=${this.kernelSize}${stride}${padding})`;
  }
}

/**
 * A convolution from N x inChannels x H x W to N x outChannels x H' x W', with
 * `H' = floor((H + 2 * padding - kernelSize) / stride) + 1`.
 */
export const conv2d = (inChannels: number, outChannels: number, kernelSize: number, options?: Conv2dOptions): Conv2d =>
  new Conv2d(inChannels, outChannels, kernelSize, options);
