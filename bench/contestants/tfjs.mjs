/**
 * A rival: how fast TensorFlow.js trains and uses the same Network in Network on the same CPU.
 *
 *     node bench/contestants/tfjs.mjs --backend cpu --resize 96 --batch-size 1 --steps 1 --warm-up 0
 *     node bench/contestants/tfjs.mjs --backend wasm --infer
 *
 * contest.mjs tells what it prints. Needs `npm ci --prefix bench`.
 */

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
// For its gradients: in Node it is the smallest package that registers them with the core, which brings none.
import '@tensorflow/tfjs-layers';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { classes, contest, layers, learningRate, randomStart, Unsupported } from './contest.mjs';

async function start(backend, threads) {
  if (backend === 'wasm') {
    const bundle = fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm'));
    setWasmPaths(`${dirname(bundle)}/`);
    setThreadsCount(threads);
  }
  // Without this the engine answers a failed start by silently going on with another backend.
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js could not start its ${backend} backend.`);
  await tf.ready();
}

/** The engine takes its own word for the threads: in Node it may use fewer than asked for. */
const threadsOf = (backend) => (backend === 'wasm' ? getThreadsCount() : 1);

/** The engine wants weights as (height, width, input, output). */
function variables() {
  return randomStart().map(({ shape, weight, bias }) => ({
    weight: tf.tidy(() => tf.variable(tf.transpose(tf.tensor(weight, shape), [2, 3, 1, 0]))),
    bias: tf.variable(tf.tensor1d(bias)),
  }));
}

function logitsOf(parameters, images, training) {
  let x = images;
  let next = 0;
  for (const layer of layers) {
    if (layer.kind === 'conv') {
      const { weight, bias } = parameters[next++];
      // One kernel in inference; in training the engine itself takes it apart for the gradients.
      x = tf.fused.conv2d({
        x,
        filter: weight,
        strides: layer.stride,
        pad: layer.padding,
        bias,
        activation: 'relu',
      });
    } else if (layer.kind === 'pool') {
      x = tf.maxPool(x, layer.size, layer.stride, 'valid');
    } else if (training) {
      x = tf.dropout(x, layer.rate);
    }
  }
  return tf.mean(x, [1, 2]);
}

/** Any other failure is ours and ends the program as an error does. */
function rethrow(error, backend, mode) {
  if (/^Kernel '.*' not registered for backend/.test(error.message)) {
    throw new Unsupported(
      `TensorFlow.js ${tf.version_core} cannot ${mode} on its ${backend} backend: ${error.message}.`,
    );
  }
  throw error;
}

await contest(
  async ({ backend, threads, infer, batchSize, resize }, batch) => {
    await start(backend, threads);
    const parameters = variables();
    const images = tf.tensor4d(batch.images, [batchSize, resize, resize, 1]);
    const labels = tf.oneHot(tf.tensor1d(batch.labels, 'int32'), classes);
    const optimizer = tf.train.sgd(learningRate);
    const lossOf = () => tf.losses.softmaxCrossEntropy(labels, logitsOf(parameters, images, true));

    const train = () =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(lossOf);
        optimizer.applyGradients(grads);
        return value;
      });
    const use = () => tf.tidy(() => logitsOf(parameters, images, false));

    async function step() {
      try {
        const result = infer ? use() : train();
        await result.data();
        result.dispose();
      } catch (error) {
        rethrow(error, backend, infer ? 'infer' : 'train');
      }
    }
    return { step, engine: { tfjs: tf.version_core, backend }, threads: threadsOf(backend) };
  },
  { backend: { type: 'string', default: 'cpu' } },
);
