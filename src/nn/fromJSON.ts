/** The way back from JSON to layers: how a network travels to a worker thread and into a run's config.json. */

import { z } from 'zod';
import { GraphError } from '../graph/operators.js';
import type { Layer } from './layer.js';
import { batchNorm2d } from './layers/batchNorm2d.js';
import { conv2d } from './layers/conv2d.js';
import { linear } from './layers/linear.js';
import { dropout, flatten, relu } from './layers/pointwise.js';
import { adaptiveAvgPool2d, maxPool2d } from './layers/pooling.js';
import { sequential } from './layers/sequential.js';

const count = z.int().min(1).max(1_000_000);
const padding = z.int().min(0).max(1_000_000);
/** Height or width of an image. */
const side = z.int().min(1).max(4096);

/** One entry per type of a single layer: the options it has in JSON, and the layer they make. */
const singleLayers = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('Conv2d'),
      inChannels: count,
      outChannels: count,
      kernelSize: count,
      stride: count,
      padding,
      bias: z.boolean(),
    })
    .transform(({ inChannels, outChannels, kernelSize, ...options }) =>
      conv2d(inChannels, outChannels, kernelSize, options),
    ),
  z
    .strictObject({ type: z.literal('Linear'), inFeatures: count, outFeatures: count })
    .transform(({ inFeatures, outFeatures }) => linear(inFeatures, outFeatures)),
  z
    .strictObject({ type: z.literal('BatchNorm2d'), numFeatures: count })
    .transform(({ numFeatures }) => batchNorm2d(numFeatures)),
  z.strictObject({ type: z.literal('ReLU') }).transform(() => relu()),
  z
    .strictObject({ type: z.literal('Dropout'), probability: z.number().min(0).lt(1) })
    .transform(({ probability }) => dropout(probability)),
  z.strictObject({ type: z.literal('Flatten') }).transform(() => flatten()),
  z
    .strictObject({ type: z.literal('MaxPool2d'), kernelSize: count, stride: count, padding })
    .transform(({ kernelSize, ...options }) => maxPool2d(kernelSize, options)),
  z
    .strictObject({ type: z.literal('AdaptiveAvgPool2d'), outputHeight: side, outputWidth: side })
    .transform(({ outputHeight, outputWidth }) => adaptiveAvgPool2d([outputHeight, outputWidth])),
]);

/** How deep layers may nest: deeper than any network, and shallow enough for the stack. */
const MAX_DEPTH = 64;
/** Layers of a network, those that only hold others included. */
const MAX_LAYERS = 1000;

const sequentialSchema = z.strictObject({ type: z.literal('Sequential'), layers: z.array(z.unknown()) });

function parseLayer(json: unknown, depth: number, counter: { layers: number }): Layer {
  if (++counter.layers > MAX_LAYERS) {
    throw new GraphError(`There are more than ${MAX_LAYERS} layers; no network here has so many.`);
  }
  if (depth > MAX_DEPTH) throw new GraphError(`Layers are nested more than ${MAX_DEPTH} deep; no network here is.`);
  const several = sequentialSchema.safeParse(json);
  if (several.success) return sequential(...several.data.layers.map((layer) => parseLayer(layer, depth + 1, counter)));
  const single = singleLayers.safeParse(json);
  if (single.success) return single.data;
  const issue = single.error.issues[0];
  const where = issue && issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
  // What is inside it may be nested more deeply than the stack is.
  const shallow = (_: string, value: unknown) => (value === json || Object(value) !== value ? value : '…');
  const given = JSON.stringify(json, shallow)?.slice(0, 100);
  throw new GraphError(`This does not describe a layer${where}: ${given} (${issue?.message ?? 'unreadable'}).`);
}

/**
 * Makes the layer that `layer.toJSON()` described. Its parameters have no values yet.
 * @throws GraphError where the description is not of a known layer
 */
export function layerFromJSON(json: unknown): Layer {
  return parseLayer(json, 0, { layers: 0 });
}
