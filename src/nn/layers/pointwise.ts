/** Layers without parameters that work element by element or only change the shape: ReLU, dropout, flatten. */

import * as build from '../../graph/build.js';
import type { Value } from '../../graph/graph.js';
import { GraphError } from '../../graph/operators.js';
import { type BuildContext, Layer, type LayerSpec } from '../layer.js';

export class ReLU extends Layer {
  readonly type = 'ReLU';

  build(x: Value): Value {
    return build.relu(x);
  }

  toJSON(): LayerSpec {
    return { type: this.type };
  }

  override toString(): string {
    return 'ReLU()';
  }
}

export class Dropout extends Layer {
  readonly type = 'Dropout';
  readonly probability: number;

  constructor(probability: number) {
    super();
    if (!(probability >= 0 && probability < 1)) {
      throw new GraphError(`Dropout: probability must be at least 0 and below 1, it is ${probability}.`);
    }
    this.probability = probability;
  }

  build(x: Value, context: BuildContext): Value {
    if (!context.training || this.probability === 0) return x;
    return build.multiply(x, context.dropoutMask(x.shape, this.probability));
  }

  toJSON(): LayerSpec {
    return { type: this.type, probability: this.probability };
  }

  override toString(): string {
    return `Dropout(${this.probability})`;
  }
}

export class Flatten extends Layer {
  readonly type = 'Flatten';

  build(x: Value): Value {
    return build.flatten(x);
  }

  toJSON(): LayerSpec {
    return { type: this.type };
  }

  override toString(): string {
    return 'Flatten()';
  }
}

/** `max(x, 0)`. */
export const relu = (): ReLU => new ReLU();

/**
 * In training each element is dropped with the given probability and the rest divided by what is kept, so that
 * evaluation needs no scaling (Srivastava et al. 2014). Default 0.5.
 */
export const dropout = (probability = 0.5): Dropout => new Dropout(probability);

/** N x C x H x W to N x (C * H * W). */
export const flatten = (): Flatten => new Flatten();
