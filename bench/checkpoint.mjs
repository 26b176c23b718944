/** What a checkpoint costs: the time to save one as a run does, and its size. */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainingConfig } from '../dist/cli/train.js';
import { tensor } from '../dist/graph/tensor.js';
import { initialise } from '../dist/nn/initialise.js';
import { parameterNames, stateDict } from '../dist/nn/stateDict.js';
import { RunFolder } from '../dist/run/runFolder.js';
import { PRESETS } from '../dist/training/presets.js';

const SAVES = 7;

/** Median milliseconds to save, and bytes, of a checkpoint of a preset's run. */
export async function measureCheckpoint(preset) {
  const net = PRESETS[preset].net();
  initialise(net, 'heNormal', 0);
  const state = stateDict(net);
  const hasVelocities = PRESETS[preset].optimizer.momentum > 0;
  const velocities = new Map(
    (hasVelocities ? parameterNames(net) : []).map((name) => [name, tensor(state.get(name).shape)]),
  );
  const watch = { constants: [], dead: [], plateauSince: null, isPlateauTold: false, averageNorm: 1 };
  const spent = { examplesTrained: 128, trainingSeconds: 1, seconds: 1 };
  const progress = { step: 1, isEvaluated: false, metric: [1, 1, 1], lastEpoch: null, watch, ...spent };
  const parent = mkdtempSync(join(tmpdir(), 'nin-bench-'));
  const folder = await RunFolder.create(join(parent, 'run'), {
    format: 1,
    training: trainingConfig(preset, { seed: 0 }, 'cpu'),
    data: { dir: null, trainExamples: 60_000, testExamples: 10_000, trainChecksum: '', testChecksum: '' },
    engine: { name: 'bench', device: 'cpu', threads: 1 },
  });
  const milliseconds = [];
  for (let i = 0; i < SAVES; i++) {
    const startedAt = performance.now();
    await folder.saveCheckpoint({ state, velocities, progress });
    milliseconds.push(performance.now() - startedAt);
  }
  const { size } = statSync(join(folder.path, 'checkpoints', 'last.safetensors'));
  folder.close();
  rmSync(parent, { recursive: true, force: true });
  return { preset, bytes: size, milliseconds: milliseconds.toSorted((a, b) => a - b)[SAVES >> 1] };
}
