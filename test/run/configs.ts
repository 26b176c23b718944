/** A run's configuration for tests. */

import type { RunConfig } from '../../src/run/runConfig.js';
import { PRESETS } from '../../src/training/presets.js';

const { net, description: _, ...preset } = PRESETS.quick;

export const QUICK_CONFIG: RunConfig = {
  format: 1,
  training: {
    ...preset,
    preset: 'quick',
    net: net().toJSON(),
    microBatchSize: 16,
    maxSteps: null,
    seed: 0,
  },
  data: { dir: null, trainExamples: 320, testExamples: 64, trainChecksum: 'a', testChecksum: 'b' },
  engine: { name: 'engine', device: 'cpu', threads: 1 },
};
