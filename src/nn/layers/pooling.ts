/** Layers that summarise regions of an image. */

import * as build from '../../graph/build.js';
import type { Value } from '../../graph/graph.js';
import { Layer, type LayerSpec } from '../layer.js';
import { positiveInteger, wholeNumber } from './options.js';

export interface MaxPool2dOptions {
  /** Default: the kernel size, as in PyTorch. */
  readonly stride?: number;
  /** Default 0; at most half the kernel size. */
  readonly padding?: number;
}

export class MaxPool2d extends Layer {
  readonly type = 'MaxPool2d';
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;

  constructor(kernelSize: number, options: MaxPool2dOptions = {}) {
    super();
    this.kernelSize = positiveInteger('MaxPool2d', 'kernelSize', kernelSize);
    this.stride = positiveInteger('MaxPool2d', 'stride', options.stride ?? kernelSize);
    this.padding = wholeNumber('MaxPool2d', 'padding', options.padding ?? 0);
  }

  build(x: Value): Value {
    const { kernelSize, stride, padding } = this;
    return build.maxPool2d(x, { kernelSize, stride, padding });
  }

  toJSON(): LayerSpec {
    const { type, kernelSize, stride, padding } = this;
    return { type, kernelSize, stride, padding };
  }

  override toString(): string {
    const padding = this.padding === 0 ? '' : `, padding=${this.padding}`;
    return `MaxPool2d(${this.kernelSize}, stride=${this.stride}${padding})`;
  }
}

export class AdaptiveAvgPool2d extends Layer {
  readonly type = 'AdaptiveAvgPool2d';
  readonly outputHeight: number;
  readonly outputWidth: number;

  constructor([outputHeight, outputWidth]: readonly [number, number]) {
    super();
    this.outputHeight = positiveInteger('AdaptiveAvgPool2d', 'output height', outputHeight);
    this.outputWidth = positiveInteger('AdaptiveAvgPool2d', 'output width', outputWidth);
  }

  build(x: Value): Value {
    return build.adaptiveAvgPool2d(x, this.outputHeight, this.outputWidth);
  }

  toJSON(): LayerSpec {
    const { type, outputHeight, outputWidth } = this;
    return { type, outputHeight, outputWidth };
  }

  override toString(): string {
    return `AdaptiveAvgPool2d((${this.outputHeight}, ${this.outputWidth}))`;
  }
}

/** The largest value of each kernelSize x kernelSize window. */
export const maxPool2d = (kernelSize: number, options?: MaxPool2dOptions): MaxPool2d =>
  new MaxPool2d(kernelSize, options);

/** Averages over regions so that the output has the given height and width; `[1, 1]` averages whole channels. */
export const adaptiveAvgPool2d = (outputSize: readonly [height: number, width: number]): AdaptiveAvgPool2d =>
  new AdaptiveAvgPool2d(outputSize);
