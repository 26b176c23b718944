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
 * - `aliveLogits`: as `heNormal`, but the last layer starts with small weights and biases of 1, so that every logit is
 *   positive at first. Where a ReLU follows, as in the book's NiN, a class whose logit is negative for every example
 *   has no gradient and is lost; this way all classes begin alive and nearly equal.
 * - `pytorch`: weights and biases uniform in +-1 / sqrt(fanIn), the default of PyTorch's layers.
 */
export const INITIALISATIONS = ['xavierUniform', 'heNormal', 'aliveLogits', 'pytorch'] as const;
export type Initialisation = (typeof INITIALISATIONS)[number];

/** What `aliveLogits` multiplies the last layer's weights with, and its biases. */
const SMALL = 0.3;
const ALIVE = 1;

function fill({ shape }: ParameterSpec, draw: () => number): Tensor {
  const filled = tensor(shape);
  for (let i = 0; i < filled.data.length; i++) filled.data[i] = draw();
  return filled;
}

function initialValue(spec: ParameterSpec, scheme: Initialisation, isLast: boolean, random: RandomStream): Tensor {
  const keepsAlive = scheme === 'aliveLogits' && isLast;
  const uniform = (bound: number) => fill(spec, () => (2 * random.uniform() - 1) * bound);
  switch (spec.role) {
    case 'scale':
      return fill(spec, () => 1);
    case 'shift':
      return tensor(spec.shape);
    case 'bias':
      if (keepsAlive) return fill(spec, () => ALIVE);
      if (scheme === 'heNormal' || scheme === 'aliveLogits') return tensor(spec.shape);
      return uniform(1 / Math.sqrt(spec.fanIn));
    case 'weight':
      if (scheme === 'xavierUniform') return uniform(Math.sqrt(6 / (spec.fanIn + spec.fanOut)));
      if (scheme === 'pytorch') return uniform(1 / Math.sqrt(spec.fanIn));
      return fill(spec, () => random.normal() * Math.sqrt(2 / spec.fanIn) * (keepsAlive ? SMALL : 1));
  }
}

/**
 * Gives every parameter and buffer of a network its starting value, replacing what is there.
 * @param scheme default `pytorch`
 * @param seed default 0
 */
export function initialise(net: Layer, scheme: Initialisation = 'pytorch', seed = 0): void {
  let index = 0;
  const last = [...walk(net)].findLast(({ layer }) => layer.parameterSpecs.some(({ role }) => role === 'weight'));
  for (const { layer } of walk(net)) {
    for (const spec of layer.parameterSpecs) {
      const random = new RandomStream(seed, Purpose.initialisation, index++);
      layer.state.set(spec.name, initialValue(spec, scheme, layer === last?.layer, random));
    }
    for (const { name, shape, initial } of layer.bufferSpecs) {
      const buffer = tensor(shape);
      buffer.data.fill(initial);
      layer.state.set(name, buffer);
    }
  }
}
