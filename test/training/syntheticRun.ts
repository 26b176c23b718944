/** A small task that trains in milliseconds: three classes of 8x8 images, and networks and configurations for it. */

import { DataIter, type DataIterOptions } from '../../src/data/dataLoader.js';
import type { Dataset } from '../../src/data/types.js';
import { initialise } from '../../src/nn/initialise.js';
import type { Layer } from '../../src/nn/layer.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { linear } from '../../src/nn/layers/linear.js';
import { dropout, flatten, relu } from '../../src/nn/layers/pointwise.js';
import { adaptiveAvgPool2d } from '../../src/nn/layers/pooling.js';
import { type Sequential, sequential } from '../../src/nn/layers/sequential.js';
import type { TrainingConfig } from '../../src/training/config.js';
import { hashUniform } from '../support/reference.js';

const SIDE = 8;

/** Images whose left or upper half is bright, or none, with noise; the classes take turns. */
export function stripes(length: number, seed = 1): Dataset {
  const noise = hashUniform(seed, length * SIDE * SIDE);
  const images = Uint8Array.from(noise, (value, i) => {
    const label = Math.floor(i / (SIDE * SIDE)) % 3;
    const [row, column] = [Math.floor(i / SIDE) % SIDE, i % SIDE];
    const isBright = (label === 0 && column < SIDE / 2) || (label === 1 && row < SIDE / 2);
    return (isBright ? 190 : 60) + 50 * value;
  });
  return {
    name: 'stripes',
    images,
    labels: Uint8Array.from({ length }, (_, i) => i % 3),
    length,
    height: SIDE,
    width: SIDE,
    classNames: ['left', 'upper', 'none'],
    checksum: '',
  };
}

/** An iterator over as many of the images. */
export function stripesIter(length: number, options: Partial<DataIterOptions> = {}): DataIter {
  return new DataIter(stripes(length), { batchSize: 4, shuffle: true, seed: 3, ...options });
}

/** A small network with dropout, initialised. */
export function smallNet(seed = 1): Sequential {
  return initialised(
    sequential(conv2d(1, 4, 3), relu(), adaptiveAvgPool2d([2, 2]), flatten(), dropout(0.25), linear(16, 3)),
    seed,
  );
}

export function initialised<Net extends Layer>(net: Net, seed = 1): Net {
  initialise(net, 'heNormal', seed);
  return net;
}

/** A configuration with plain SGD, where nothing else is asked for. */
export function configOf(net: Layer, options: Partial<TrainingConfig> = {}): TrainingConfig {
  return {
    preset: 'custom',
    model: 'small',
    net: net.toJSON(),
    initialisation: 'heNormal',
    transform: {},
    batchSize: 4,
    microBatchSize: 4,
    epochs: 1,
    maxSteps: null,
    learningRate: 0.1,
    schedule: { name: 'constant', warmup: 0 },
    optimizer: { momentum: 0, nesterov: false, weightDecay: 0, maxGradientNorm: null },
    seed: 7,
    ...options,
  };
}
