/** Recipes: a network and everything that decides how it is trained. */

import type { ImageTransform } from '../data/types.js';
import type { Initialisation } from '../nn/initialise.js';
import type { Sequential } from '../nn/layers/sequential.js';
import { nin } from '../nn/models/nin.js';
import type { TrainingConfig } from './config.js';

export interface Preset {
  /** One line for people who have to choose. */
  readonly description: string;
  readonly model: string;
  readonly net: () => Sequential;
  readonly initialisation: Initialisation;
  readonly transform: ImageTransform & { readonly resize: number };
  readonly batchSize: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly schedule: TrainingConfig['schedule'];
  readonly optimizer: TrainingConfig['optimizer'];
}

export const PRESET_NAMES = ['d2l', 'quick', 'robust'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  d2l: {
    description: "exactly the book's recipe: 224x224, ten epochs of plain SGD",
    model: 'NiN',
    net: () => nin(),
    initialisation: 'xavierUniform',
    transform: { resize: 224 },
    batchSize: 128,
    epochs: 10,
    learningRate: 0.1,
    schedule: { name: 'constant', warmup: 0 },
    optimizer: { momentum: 0, nesterov: false, weightDecay: 0, maxGradientNorm: null },
  },
  quick: {
    description: 'for a CPU: batch normalisation, no ReLU on the logits, 96x96, one epoch with a one-cycle schedule',
    model: 'NiN with batch normalisation',
    // One epoch is too short for dropout to help: without it the test accuracy is higher.
    net: () => nin({ batchNorm: true, reluOnLogits: false, dropoutProbability: 0 }),
    initialisation: 'heNormal',
    // Mean and deviation of the training pixels.
    transform: { resize: 96, mean: 0.286, std: 0.353 },
    batchSize: 64,
    epochs: 1,
    learningRate: 0.1,
    schedule: { name: 'oneCycle', warmup: 0.2 },
    optimizer: { momentum: 0.9, nesterov: true, weightDecay: 5e-4, maxGradientNorm: null },
  },
  robust: {
    description: "the book's network as it stands, with a start, steps and clipping that keep all classes alive",
    model: 'NiN',
    net: () => nin(),
    initialisation: 'aliveLogits',
    transform: { resize: 224, mean: 0.286, std: 0.353 },
    batchSize: 64,
    epochs: 10,
    learningRate: 0.02,
    schedule: { name: 'oneCycle', warmup: 0.1 },
    optimizer: { momentum: 0.9, nesterov: true, weightDecay: 5e-4, maxGradientNorm: 1 },
  },
};
