/**
 * How a network's parameters start. Draws are a function of (seed, place of the parameter), so that two networks
 * with the same seed start alike.
 */

import { type Tensor, tensor } from '../graph/tensor.js';
import { Purpose, RandomStream } from '../random/philox.js';
import type { Layer, ParameterSpec } from './layer.js';
import { walk } from './stateDict.js';

/**
 * - `xavierUniform`: weights uniform in +-sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010), biases as `pytorch`:
 *   the book's `init_weights`.
 * - `heNormal`: weights normal with deviation sqrt(2 / fanIn) (He et al. 2015), biases 0.
 * - `aliveLogits`: as `heNormal`, but the head starts as one convolution with small weights and positive biases: the
 *   1x1 convolutions at the very end that keep the number of channels start as the identity. Where ReLUs follow, as in
 *   the book's NiN, a class whose channel is negative for every example has no gradient and is lost; this way every
 *   class begins alive, with a way of its own to its logit, and the network begins like one without those ReLUs.
 * - `pytorch`: weights and biases uniform in +-1 / sqrt(fanIn), the default of PyTorch's layers.
 */
export const INITIALISATIONS = ['xavierUniform', 'heNormal', 'aliveLogits', 'pytorch'] as const;
export type Initialisation = (typeof INITIALISATIONS)[number];

/** What `aliveLogits` multiplies the weights of the head's first convolution with, and its biases. */
const SMALL = 0.3;
const ALIVE = 2;

function fill({ shape }: ParameterSpec, draw: () => number): Tensor {
  const filled = tensor(shape);
  for (let i = 0; i < filled.data.length; i++) filled.data[i] = draw();
  return filled;
}

/** What a layer is to `aliveLogits`. */
type Part = 'body' | 'headStart' | 'headEnd';

function initialValue(spec: ParameterSpec, scheme: Initialisation, part: Part, random: RandomStream): Tensor {
  const isAlive = scheme === 'aliveLogits';
  const uniform = (bound: number) => fill(spec, () => (2 * random.uniform() - 1) * bound);
  switch (spec.role) {
    case 'scale':
      return fill(spec, () => 1);
    case 'shift':
      return tensor(spec.shape);
    case 'bias':
      if (isAlive && part === 'headStart') return fill(spec, () => ALIVE);
      if (isAlive || scheme === 'heNormal') return tensor(spec.shape);
      return uniform(1 / Math.sqrt(spec.fanIn));
    case 'weight':
      if (scheme === 'xavierUniform') return uniform(Math.sqrt(6 / (spec.fanIn + spec.fanOut)));
      if (scheme === 'pytorch') return uniform(1 / Math.sqrt(spec.fanIn));
      if (isAlive && part === 'headEnd') return identity(spec);
      return fill(
        spec,
        () => random.normal() * Math.sqrt(2 / spec.fanIn) * (isAlive && part === 'headStart' ? SMALL : 1),
      );
  }
}

/** The square matrix that changes nothing. */
function identity({ shape }: ParameterSpec): Tensor {
  const [channels = 1] = shape;
  const weight = tensor(shape);
  for (let i = 0; i < channels; i++) weight.data[i * channels + i] = 1;
  return weight;
}

/** Whether a layer's weight is a square matrix at each place, as that of a 1x1 convolution between equals. */
function isSquare(layer: Layer): boolean {
  return layer.parameterSpecs.some(
    ({ role, shape: [rows, columns, ...kernel] }) =>
      role === 'weight' && rows === columns && kernel.every((length) => length === 1),
  );
}

/** Which layers are the head: from the last layer with weights back to the first that changes the channels. */
function partsOf(layers: readonly Layer[]): Map<Layer, Part> {
  const weighted = layers.filter(({ parameterSpecs }) => parameterSpecs.some(({ role }) => role === 'weight'));
  const start = weighted.findLastIndex((layer) => !isSquare(layer));
  return new Map(weighted.slice(Math.max(0, start)).map((layer, i) => [layer, i === 0 ? 'headStart' : 'headEnd']));
}

/**
 * Gives every parameter and buffer of a network its starting value, replacing what is there.
 * @param scheme default `pytorch`
 * @param seed default 0
 */
export function initialise(net: Layer, scheme: Initialisation = 'pytorch', seed = 0): void {
  let index = 0;
  const layers = [...walk(net)].map(({ layer }) => layer);
  const parts = partsOf(layers);
  for (const layer of layers) {
    for (const spec of layer.parameterSpecs) {
      const random = new RandomStream(seed, Purpose.initialisation, index++);
      layer.state.set(spec.name, initialValue(spec, scheme, parts.get(layer) ?? 'body', random));
    }
    for (const { name, shape, initial } of layer.bufferSpecs) {
      const buffer = tensor(shape);
      buffer.data.fill(initial);
      layer.state.set(name, buffer);
    }
  }
}
