/**
 * What a recipe is: it writes one operator of a graph as ONNX nodes. The recipes are grouped by kind in recipes/;
 * docs/PERFORMANCE.md says why each is as it is.
 *
 * Images lie in memory in one of two layouts. *Images first* is the graph's own order, N x C x H x W. *Places first* is
 * H x W x N x C: there a convolution's sums over channels are products of large matrices however small the images are,
 * and a window's neighbours are long runs of memory. A recipe takes its inputs in the layout that suits it and says
 * which one its outputs have; going from one to the other is the transposition of one matrix.
 */

import type { Attributes, OperatorName } from '../../graph/operators.js';
import { type Shape, sizeOf } from '../../graph/tensorType.js';
import type { OnnxBuilder } from './onnxBuilder.js';

export type Layout = 'imagesFirst' | 'placesFirst';

/** A value as it is written down: its ONNX name and how it lies in memory. */
export interface Lowered {
  readonly name: string;
  readonly layout: Layout;
}

/** An operator's input. */
export interface Operand extends Lowered {
  readonly shape: Shape;
}

/** An output that lies places first. */
export const placesFirst = (name: string): Lowered => ({ name, layout: 'placesFirst' });

/** The inputs of the node that is being written. */
export class Operands {
  constructor(
    private readonly onnx: OnnxBuilder,
    private readonly inputs: readonly Operand[],
  ) {}

  get count(): number {
    return this.inputs.length;
  }

  /** Name of input i in its graph's layout. */
  name(i: number): string {
    return this.in('imagesFirst', i);
  }

  /** Name of input i in a layout. Where it lies in the other, its transposition is written once, however many ask. */
  in(layout: Layout, i: number): string {
    const { name, shape, layout: present } = this.#input(i);
    if (layout === present) return name;
    const [n, c, h, w] = asImage(shape);
    return layout === 'placesFirst'
      ? this.onnx.transpose(name, n * c, h * w, [h, w, n, c])
      : this.onnx.transpose(name, h * w, n * c, shape);
  }

  /** The layout that input i has already. */
  layout(i: number): Layout {
    return this.#input(i).layout;
  }

  shape(i: number): Shape {
    return this.#input(i).shape;
  }

  /** The shape of input i as the four lengths of an image tensor. */
  image(i: number): [batch: number, channels: number, height: number, width: number] {
    return asImage(this.#input(i).shape);
  }

  /** Number of elements of input i. */
  size(i: number): number {
    return sizeOf(this.#input(i).shape);
  }

  #input(i: number): Operand {
    const input = this.inputs[i];
    if (!input) throw new RangeError(`A recipe asked for input ${i} of ${this.inputs.length}.`);
    return input;
  }
}

/** A shape as the four lengths of an image tensor. */
function asImage(shape: Shape): [batch: number, channels: number, height: number, width: number] {
  const [batch = 1, channels = 1, height = 1, width = 1] = shape;
  return [batch, channels, height, width];
}

/** Writes one operator; returns its outputs in order. A bare name lies as the graph has it. */
export type Recipe<Name extends OperatorName> = (
  onnx: OnnxBuilder,
  operands: Operands,
  attributes: Attributes<Name>,
) => (string | Lowered)[];
