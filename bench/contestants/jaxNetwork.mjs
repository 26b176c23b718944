/**
 * The network of the rival jax-js, and its steps. Apart from jax.mjs because jax-js looks for threads when it is
 * imported, which is therefore done once there are some.
 */

import { readFileSync } from 'node:fs';
import { blockUntilReady, defaultDevice, init, lax, nn, numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
import { classes, layers, learningRate, randomStart } from './contest.mjs';

const about = readFileSync(new URL('../package.json', import.meta.resolve('@jax-js/jax')), 'utf8');

// A function owns the arrays that it is given and lets go of them by using them; `.ref` keeps one for another use.
// Images are (image, row, column, channel), so that a pixel's channels are a row of a matrix.

const channelsFirst = (x) => np.transpose(x, [0, 3, 1, 2]);
const channelsLast = (x) => np.transpose(x, [0, 2, 3, 1]);
const square = (size) => [size, size];

/** Has the array written to memory as it is; a product that gathered its operands from elsewhere would be slow. */
const written = (x) => x.mul(1);

function patchesOf(images, { inputs, kernel, stride, padding }) {
  if (kernel === 1) return images;
  const edge = square(padding);
  const padded = np.pad(images, [[0, 0], edge, edge, [0, 0]]);
  const windows = lax.reduceWindow(channelsFirst(padded), (window) => window, square(kernel), square(stride));
  const patches = written(np.transpose(windows, [0, 2, 3, 1, 4, 5]));
  return patches.reshape([...patches.shape.slice(0, 3), inputs * kernel * kernel]);
}

const convolutions = {
  matmul: {
    weight: (weight, [outputs, ...patch]) =>
      written(weight.reshape([outputs, patch.reduce((a, b) => a * b)]).transpose()),
    apply(images, weight, layer) {
      const patches = patchesOf(images, layer);
      const [count, height, width, size] = patches.shape;
      const product = np.matmul(patches.reshape([count * height * width, size]), weight);
      return product.reshape([count, height, width, layer.outputs]);
    },
  },
  lax: {
    weight: (weight, shape) => weight.reshape(shape),
    apply(images, weight, { stride, padding }) {
      const edges = square(square(padding));
      return channelsLast(lax.conv(channelsFirst(images), weight, square(stride), edges));
    },
  },
};

function dropout(x, rate, key) {
  const kept = random.bernoulli(key, 1 - rate, x.shape).astype(np.float32);
  return x.mul(kept.mul(1 / (1 - rate)));
}

/** With a key for the dropout: training. */
function logitsOf(convolution, parameters, images, key) {
  let x = images;
  let next = 0;
  for (const layer of layers) {
    if (layer.kind === 'conv') {
      const { weight, bias } = parameters[next++];
      x = nn.relu(convolution.apply(x, weight, layer).add(bias));
    } else if (layer.kind === 'pool') {
      x = channelsLast(lax.reduceWindow(channelsFirst(x), np.max, square(layer.size), square(layer.stride)));
    } else if (key) {
      x = dropout(x, layer.rate, key);
    }
  }
  return np.mean(x, [1, 2]);
}

export async function prepare({ convolution: name, threads, infer, batchSize, resize }, batch) {
  const convolution = convolutions[name];
  if (!convolution) throw new Error(`--convolution must be one of ${Object.keys(convolutions).join(', ')}.`);
  if (!(await init('wasm')).includes('wasm')) throw new Error('jax-js could not start its wasm backend.');
  defaultDevice('wasm');

  let parameters = randomStart().map(({ shape, weight, bias }) => ({
    weight: convolution.weight(np.array(weight), shape),
    bias: np.array(bias),
  }));
  const images = np.array(batch.images).reshape([batchSize, resize, resize, 1]);
  const labels = nn.oneHot(np.array(batch.labels), classes);
  let key = random.key(0);

  async function train() {
    const [now, later] = random.split(key);
    key = later;
    const lossOf = (parameters, images) => {
      const logits = logitsOf(convolution, parameters, images, now);
      return nn
        .logSoftmax(logits)
        .mul(labels.ref)
        .sum()
        .mul(-1 / batchSize);
    };
    const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(parameters), images.ref);
    parameters = tree.map((value, gradient) => value.sub(gradient.mul(learningRate)), parameters, gradients);
    await blockUntilReady(parameters);
    await loss.data();
  }
  const use = () => logitsOf(convolution, tree.ref(parameters), images.ref).data();

  const engine = { jax: JSON.parse(about).version, backend: 'wasm', convolution: name };
  return { step: infer ? use : train, engine, threads };
}
