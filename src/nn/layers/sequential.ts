/** Layers one after another; a network is one of these. */

import type { Value } from '../../graph/graph.js';
import { type BuildContext, buildLayer, Layer, type LayerSpec } from '../layer.js';

export class Sequential extends Layer implements Iterable<Layer> {
  readonly type = 'Sequential';
  override readonly children: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    super();
    this.children = [...layers];
  }

  build(x: Value, context: BuildContext): Value {
    return this.children.reduce((y, layer, i) => buildLayer(layer, y, context.child(`${i}`)), x);
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this.children[Symbol.iterator]();
  }

  toJSON(): LayerSpec {
    return { type: this.type, layers: this.children.map((layer) => layer.toJSON()) };
  }

  override toString(): string {
    return `Sequential(${this.children.join(', ')})`;
  }
}

/** Layers one after another. Their parameters are named by place, as PyTorch names them: `0.weight`, `2.0.bias`. */
export const sequential = (...layers: readonly Layer[]): Sequential => new Sequential(layers);
