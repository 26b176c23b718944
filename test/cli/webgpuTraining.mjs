/**
 * Trains tiny networks on the CPU and on WebGPU with the built library and prints the losses of their steps as
 * JSON. A process of its own: where Vulkan finds its driver is read from the environment.
 */

import { stdout } from 'node:process';
import * as library from '../../dist/index.js';

const { adaptiveAvgPool2d, batchNorm2d, conv2d, dropout, flatten, maxPool2d, relu, sequential } = library;
const { loadDataFashionMnist, train } = library;

/** A NiN in small: strided and padded convolutions, 1x1 convolutions, overlapping pools, the global average. */
const tinyNin = (isNormalised) =>
  sequential(
    conv2d(1, 8, 5, { stride: 2, bias: !isNormalised }),
    ...(isNormalised ? [batchNorm2d(8)] : []),
    relu(),
    conv2d(8, 8, 1),
    relu(),
    maxPool2d(3, { stride: 2 }),
    dropout(0.5),
    conv2d(8, 12, 3, { padding: 1 }),
    relu(),
    conv2d(12, 10, 1),
    adaptiveAvgPool2d([1, 1]),
    flatten(),
  );

async function steps(device, isNormalised, options) {
  // A last batch of 4 is padded, or where it is normalised, would be a graph of its own, which takes long to compile.
  const trainExamples = isNormalised ? 24 : 28;
  const [trainIter] = await loadDataFashionMnist({ batchSize: 8, resize: 32, trainExamples, testExamples: 0 });
  const found = [];
  let trainedOn;
  for await (const event of train(tinyNin(isNormalised), trainIter, undefined, { device, threads: 1, ...options })) {
    if (event.type === 'start') trainedOn = event.device;
    if (event.type === 'step') found.push([event.loss, event.gradientNorm]);
  }
  return { device: trainedOn, steps: found };
}

const plain = { epochs: 1, learningRate: 0.1 };
const everything = { ...plain, momentum: 0.9, nesterov: true, weightDecay: 5e-4, maxGradientNorm: 0.1 };

const runs = {};
for (const device of ['cpu', 'webgpu']) {
  runs[device] = { plain: await steps(device, false, plain), normalised: await steps(device, true, everything) };
}
stdout.write(JSON.stringify(runs));
