/**
 * A layer: a piece of a network that knows its parameters and how to write its computation into a graph.
 *
 * A layer computes nothing itself. Shapes, gradients and training all come from the graph that `build` makes. The
 * numbers (parameters, and buffers such as running statistics) rest in `state`, by the names PyTorch gives them.
 */

import { Graph, type Value } from '../graph/graph.js';
import { GraphError } from '../graph/operators.js';
import type { Tensor } from '../graph/tensor.js';
import { formatShape, type Shape } from '../graph/tensorType.js';

/** A trainable tensor of a layer and what an initialisation needs to know of it. */
export interface ParameterSpec {
  readonly name: 'weight' | 'bias';
  readonly shape: Shape;
  /**
   * How it starts: `weight` and `bias` as the initialisation scheme says, `scale` at 1 and `shift` at 0 (of a
   * normalisation).
   */
  readonly role: 'weight' | 'bias' | 'scale' | 'shift';
  /** Inputs and outputs of one unit, as Glorot and Bengio (2010) count them. */
  readonly fanIn: number;
  readonly fanOut: number;
}

/** A tensor that training changes but no gradient does. */
export interface BufferSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initial: number;
}

/** Where a layer gets the values it computes with. Names are the layer's own, e.g. `weight`. */
export interface BuildContext {
  /** Whether the graph is for training: dropout drops, batch normalisation uses the batch's statistics. */
  readonly training: boolean;
  /** Place of the layer in the network, e.g. `0.2`; empty for a layer on its own. */
  readonly path: string;
  parameter(spec: ParameterSpec): Value;
  buffer(spec: BufferSpec): Value;
  /** Declares a buffer's value after the step. */
  updateBuffer(spec: BufferSpec, value: Value): void;
  /** A mask of this shape whose elements are 0 with the given probability, else 1 / (1 - probability). */
  dropoutMask(shape: Shape, probability: number): Value;
  /** The context of a child, whose names are prefixed by its place. */
  child(place: string): BuildContext;
}

/** A layer as plain JSON: its type and the options it was made with. */
export interface LayerSpec {
  readonly type: string;
  readonly [option: string]: unknown;
}

export abstract class Layer {
  /** The field's (and PyTorch's) name of the layer, e.g. `Conv2d`. */
  abstract readonly type: string;

  /** Parameters and buffers of this layer itself, by name. Empty until initialised or loaded. */
  readonly state = new Map<string, Tensor>();

  /** Parameters of this layer itself, in PyTorch's order. */
  readonly parameterSpecs: readonly ParameterSpec[] = [];

  /** Buffers of this layer itself. */
  readonly bufferSpecs: readonly BufferSpec[] = [];

  /** Layers inside this one, by place; empty for most. */
  readonly children: readonly Layer[] = [];

  /** Writes the layer's computation on `x` into `x`'s graph. */
  abstract build(x: Value, context: BuildContext): Value;

  /** Multiply-adds for one input of this shape. */
  multiplyAdds(_input: Shape): number {
    return 0;
  }

  /** The layer as JSON; `layerFromJSON` makes an equal one. */
  abstract toJSON(): LayerSpec;

  /** The layer as one would write it: `Conv2d(1, 96, kernelSize=11, stride=4)`. */
  abstract toString(): string;

  /**
   * Shape of the output for an input of this shape; nothing is computed.
   * @throws GraphError where the input does not fit, naming the layer and what would fit
   */
  outputShape(input: Shape): Shape {
    const x = new Graph().input('x', input);
    return buildLayer(this, x, new ShapeContext(x.graph)).shape;
  }
}

/** Builds a layer, and makes a misfit say which layer it was and what it was given. */
export function buildLayer(layer: Layer, x: Value, context: BuildContext): Value {
  try {
    return layer.build(x, context);
  } catch (error) {
    if (!(error instanceof GraphError) || layer.children.length > 0) throw error;
    const name = context.path === '' ? `${layer}` : `Layer ${context.path}, ${layer}`;
    throw new GraphError(`${name}, cannot take an input of ${formatShape(x.shape)}. ${error.message}`);
  }
}

/** Name of something inside the layer at `path`, as PyTorch writes it. */
export const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** A context that only follows shapes. */
class ShapeContext implements BuildContext {
  readonly training = false;

  constructor(
    private readonly graph: Graph,
    readonly path = '',
  ) {}

  parameter({ name, shape }: ParameterSpec): Value {
    return this.graph.input(join(this.path, name), shape);
  }

  buffer({ name, shape }: BufferSpec): Value {
    return this.graph.input(join(this.path, name), shape);
  }

  updateBuffer(): void {}

  dropoutMask(shape: Shape): Value {
    return this.graph.input(join(this.path, 'mask'), shape);
  }

  child(place: string): BuildContext {
    return new ShapeContext(this.graph, join(this.path, place));
  }
}
