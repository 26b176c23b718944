/**
 * The graphs of a network: one that adds up the gradients of a micro-batch, one that updates the parameters with them,
 * one that only looks. What they take and give is named by a prefix and, for tensors of the network, its name there:
 * `parameter.0.0.weight`, `gradient.0.0.weight`, `velocity.0.0.weight`, `buffer.0.1.running_mean`, `mask.6`.
 */

import { lossGradients } from '../autodiff/gradients.js';
import type { ImageTransform } from '../data/types.js';
import * as build from '../graph/build.js';
import { Graph, type Value } from '../graph/graph.js';
import type { Shape } from '../graph/tensorType.js';
import { type BufferSpec, type BuildContext, buildLayer, join, type Layer, type ParameterSpec } from '../nn/layer.js';
import { parameterNames, stateShapes } from '../nn/stateDict.js';
import type { TrainingConfig } from './config.js';

/** A dropout mask that a training graph takes. */
export interface MaskInput {
  /** Name of the graph's input. */
  readonly name: string;
  readonly shape: Shape;
  readonly probability: number;
}

/** Images as the dataset has them and what is done to them. */
export interface ImageInput {
  readonly height: number;
  readonly width: number;
  readonly transform: ImageTransform;
}

/** What the layers of a network share while it is written down: its tensors and masks as graph inputs. */
class NetworkContext implements BuildContext {
  constructor(
    readonly graph: Graph,
    readonly training: boolean,
    readonly masks: MaskInput[] = [],
    readonly path = '',
  ) {}

  parameter({ name, shape }: ParameterSpec): Value {
    return this.graph.input(`parameter.${join(this.path, name)}`, shape);
  }

  buffer({ name, shape }: BufferSpec): Value {
    return this.graph.input(`buffer.${join(this.path, name)}`, shape);
  }

  updateBuffer({ name }: BufferSpec, value: Value): void {
    this.graph.output(`buffer.${join(this.path, name)}`, value);
  }

  dropoutMask(shape: Shape, probability: number): Value {
    const name = `mask.${this.path}`;
    this.masks.push({ name, shape, probability });
    return this.graph.input(name, shape);
  }

  child(place: string): BuildContext {
    return new NetworkContext(this.graph, this.training, this.masks, join(this.path, place));
  }
}

/** Height and width of the images as the network sees them. */
export function networkImageSize({ height, width, transform }: ImageInput): [height: number, width: number] {
  return [transform.resize ?? height, transform.resize ?? width];
}

/** Declares the bytes of a batch and writes down the way to the network's input, N x 1 x H x W. */
function imageInput(graph: Graph, batch: number, input: ImageInput): Value {
  const { mean = 0, std = 1 } = input.transform;
  const images = graph.input('images', [batch, input.height, input.width], 'uint8');
  // (x / 255 - mean) / std in one step.
  return build.affine(build.resizeImages(images, ...networkImageSize(input)), 1 / (255 * std), -mean / std);
}

/**
 * Forward and backward for one micro-batch.
 * Takes `images`, `labels` (int32), `weights` (of each example's loss), parameters, buffers, masks, and the gradients
 * added up so far; gives `loss` (the weighted sum), `logits`, the gradients with this micro-batch's added, and buffers.
 */
export function gradientGraph(net: Layer, batch: number, input: ImageInput): { graph: Graph; masks: MaskInput[] } {
  const graph = new Graph();
  const context = new NetworkContext(graph, true);
  const logits = buildLayer(net, imageInput(graph, batch, input), context);
  const labels = graph.input('labels', [batch], 'int32');
  const weights = graph.input('weights', [batch]);
  graph.output('logits', logits);
  graph.output('loss', build.softmaxCrossEntropy(logits, labels, weights));
  const names = parameterNames(net);
  const parameters = names.map((name) => graph.inputs.get(`parameter.${name}`) as Value);
  for (const [i, gradient] of lossGradients(logits, labels, weights, parameters).entries()) {
    const sum = graph.input(`gradient.${names[i]}`, gradient.shape);
    graph.output(`gradient.${names[i]}`, build.add(sum, gradient));
  }
  return { graph, masks: context.masks };
}

/**
 * One step of the optimiser. Takes parameters, gradients, velocities (with momentum) and the scalar `learningRate`;
 * gives the new parameters and velocities, and `gradientNorm` before clipping.
 */
export function updateGraph(net: Layer, { momentum, maxGradientNorm, ...rest }: TrainingConfig['optimizer']): Graph {
  const graph = new Graph();
  const shapes = stateShapes(net);
  const tensors = parameterNames(net).map((name) => {
    const shape = shapes.get(name) ?? [];
    return {
      name,
      parameter: graph.input(`parameter.${name}`, shape),
      gradient: graph.input(`gradient.${name}`, shape),
      velocity: momentum === 0 ? undefined : graph.input(`velocity.${name}`, shape),
    };
  });
  const learningRate = graph.input('learningRate', []);
  const norm = build.globalNorm(tensors.map(({ gradient }) => gradient));
  graph.output('gradientNorm', norm);
  const factor = build.clipFactor(norm, maxGradientNorm ?? Number.POSITIVE_INFINITY);
  for (const { name, parameter, gradient, velocity } of tensors) {
    const updated = build.sgdUpdate(parameter, gradient, learningRate, factor, velocity, { momentum, ...rest });
    graph.output(`parameter.${name}`, updated.parameter);
    if (updated.velocity) graph.output(`velocity.${name}`, updated.velocity);
  }
  return graph;
}

/** The network in evaluation. Takes `images`, parameters and buffers; gives `logits`. */
export function evaluationGraph(net: Layer, batch: number, input: ImageInput): Graph {
  const graph = new Graph();
  graph.output('logits', buildLayer(net, imageInput(graph, batch, input), new NetworkContext(graph, false)));
  return graph;
}

/** Any layer in evaluation. Takes `x`, parameters and buffers; gives `y`. */
export function layerGraph(layer: Layer, inputShape: Shape): Graph {
  const graph = new Graph();
  graph.output('y', buildLayer(layer, graph.input('x', inputShape), new NetworkContext(graph, false)));
  return graph;
}
