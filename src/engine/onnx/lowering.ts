/**
 * What a recipe is: it writes one operator of a graph as ONNX nodes. The recipes are grouped by kind in recipes/;
 * DESIGN and docs/PERFORMANCE.md say why each is as it is.
 */

import type { Attributes, OperatorName } from '../../graph/operators.js';
import type { Shape } from '../../graph/tensorType.js';
import type { OnnxBuilder } from './onnxBuilder.js';

/** An operator's input: its ONNX name and its shape. */
export interface Operand {
  readonly name: string;
  readonly shape: Shape;
}

/** The inputs of the node that is being written. */
export class Operands {
  constructor(readonly inputs: readonly Operand[]) {}

  /** Name of input i, which the operator's shape inference has made sure of. */
  name(i: number): string {
    return this.#input(i).name;
  }

  shape(i: number): Shape {
    return this.#input(i).shape;
  }

  /** The shape of input i as the four lengths of an image tensor. */
  image(i: number): [batch: number, channels: number, height: number, width: number] {
    return asImage(this.#input(i).shape);
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

/** Writes one operator; returns the ONNX names of its outputs, in order. */
export type Recipe<Name extends OperatorName> = (
  onnx: OnnxBuilder,
  operands: Operands,
  attributes: Attributes<Name>,
) => string[];
