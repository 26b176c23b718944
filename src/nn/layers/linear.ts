/** Fully connected layer: `y = x * weight^T + bias`. */

import * as build from '../../graph/build.js';
import type { Value } from '../../graph/graph.js';
import type { Shape } from '../../graph/tensorType.js';
import { type BuildContext, Layer, type LayerSpec, type ParameterSpec } from '../layer.js';
import { positiveInteger } from './options.js';

export class Linear extends Layer {
  readonly type = 'Linear';
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly #weight: ParameterSpec;
  readonly #bias: ParameterSpec;
  override readonly parameterSpecs: readonly ParameterSpec[];

  constructor(inFeatures: number, outFeatures: number) {
    super();
    this.inFeatures = positiveInteger('Linear', 'inFeatures', inFeatures);
    this.outFeatures = positiveInteger('Linear', 'outFeatures', outFeatures);
    const fan = { fanIn: inFeatures, fanOut: outFeatures };
    this.#weight = { name: 'weight', role: 'weight', shape: [outFeatures, inFeatures], ...fan };
    this.#bias = { name: 'bias', role: 'bias', shape: [outFeatures], ...fan };
    this.parameterSpecs = [this.#weight, this.#bias];
  }

  build(x: Value, context: BuildContext): Value {
    return build.addBias(build.matmul(x, context.parameter(this.#weight), false, true), context.parameter(this.#bias));
  }

  override multiplyAdds([batch = 1]: Shape): number {
    return batch * this.inFeatures * this.outFeatures;
  }

  toJSON(): LayerSpec {
    return { type: this.type, inFeatures: this.inFeatures, outFeatures: this.outFeatures };
  }

  override toString(): string {
    return `Linear(${this.inFeatures}, ${this.outFeatures})`;
  }
}

/** A fully connected layer from N x inFeatures to N x outFeatures. */
export const linear = (inFeatures: number, outFeatures: number): Linear => new Linear(inFeatures, outFeatures);
