/**
 * The network of a run that was read from the disk. Whatever stands in the file, it must be one that this program and
 * this machine can compute: what is too large is told at once, not by a machine that runs out of memory or time.
 */

import { totalmem } from 'node:os';
import { FASHION_MNIST_CLASSES } from '../data/fashionMnistClasses.js';
import { formatCount } from '../data/unpack.js';
import { GraphError } from '../graph/operators.js';
import { formatShape, sameShape, sizeOf } from '../graph/tensorType.js';
import { layerFromJSON } from '../nn/fromJSON.js';
import type { Layer } from '../nn/layer.js';
import { parameterCount, walk } from '../nn/stateDict.js';
import { summary } from '../nn/summary.js';
import { imagesAtOnce, needsWholeBatch } from '../training/microBatch.js';
import { networkImageSize } from '../training/networkGraph.js';
import type { RunConfig } from './runConfig.js';
import { RunError } from './runError.js';

/** What a network is made for: it decides how many images go through it at once. */
export type NetworkUse = 'training' | 'evaluation';

/** Height and width of Fashion-MNIST's images. */
const SIDE = 28;

/** Many times what a network for such images has, and still minutes and some gigabytes for a step. */
const MOST_PARAMETERS = 100_000_000;
const MOST_MULTIPLY_ADDS = 1e13;
/** A graph has nodes for each place in a window, and many thousands of nodes take minutes to prepare. */
const MOST_WINDOW_PLACES = 2000;
/** Forward and backward, for each number that a layer gives. */
const BYTES_PER_ACTIVATION = 8;

function expectAtMost(most: number, value: number, what: string): void {
  if (value <= most) return;
  throw new GraphError(`it has ${formatCount(value)} ${what}, at most ${formatCount(most)} are possible.`);
}

/** Places in the windows of a layer's convolution or pooling, and the steps between two windows. */
function windowPlaces(layer: Layer): number {
  const { kernelSize, stride } = layer.toJSON();
  return typeof kernelSize === 'number' && typeof stride === 'number' ? kernelSize ** 2 + stride : 0;
}

function checkNetwork(net: Layer, imageSize: readonly [number, number], examplesAtOnce: number): void {
  const layers = [...walk(net)].map(({ layer }) => layer);
  expectAtMost(
    MOST_WINDOW_PLACES,
    layers.reduce((sum, layer) => sum + windowPlaces(layer), 0),
    'places in its windows',
  );
  const parameters = parameterCount(net);
  if (parameters === 0) throw new GraphError('it has no parameters, so there is nothing to train.');
  expectAtMost(MOST_PARAMETERS, parameters, 'parameters');
  const image = [1, 1, ...imageSize];
  const logits = net.outputShape(image);
  const expected = [1, FASHION_MNIST_CLASSES.length];
  if (!sameShape(logits, expected)) {
    throw new GraphError(`it makes ${formatShape(logits)} of an image, ${formatShape(expected)} are needed.`);
  }
  const { rows, multiplyAdds } = summary(net, image);
  const images = `${formatCount(examplesAtOnce)} images at once`;
  const activations = rows.reduce((sum, { outputShape }) => sum + sizeOf(outputShape), sizeOf(image));
  const gigabytes = (bytes: number) => formatCount(Math.round(bytes / 1e9));
  const memory = BYTES_PER_ACTIVATION * examplesAtOnce * activations;
  if (memory > totalmem()) {
    throw new GraphError(
      `it needs about ${gigabytes(memory)} GB of memory for ${images}, this machine has ${gigabytes(totalmem())}.`,
    );
  }
  expectAtMost(MOST_MULTIPLY_ADDS, examplesAtOnce * multiplyAdds, `multiply-adds for ${images}`);
}

/**
 * Makes the network that a run's configuration describes. Its parameters have no values yet.
 * @param path of the configuration's file, to be named in errors
 * @throws RunError where it is not a network for these images, or too large
 */
export function savedNetwork(path: string, { training, data }: RunConfig, use: NetworkUse): Layer {
  try {
    const net = layerFromJSON(training.net);
    const imageSize = networkImageSize({ height: SIDE, width: SIDE, transform: training.transform });
    const batch = needsWholeBatch(net) ? Math.min(training.batchSize, data.trainExamples) : training.microBatchSize;
    checkNetwork(net, imageSize, use === 'training' ? batch : imagesAtOnce(imageSize));
    return net;
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new RunError(
      `The network in ${path} cannot be used: ${error.message} Put the file back that the run was started with, or ` +
        'start a new run.',
    );
  }
}
