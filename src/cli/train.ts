/** `nin train`: from options to a run on the disk and in the terminal, or on with a run that is there. */

import type { DataIter } from '../data/dataLoader.js';
import { chooseDevice, measureMatmulRate } from '../engine/chooseDevice.js';
import type { DeviceType } from '../engine/engine.js';
import { createNodeEngine } from '../engine/onnx/nodeEngine.js';
import { summary } from '../nn/summary.js';
import type { RunConfig } from '../run/runConfig.js';
import { RunFolder, type RunResult } from '../run/runFolder.js';
import type { TrainingConfig } from '../training/config.js';
import { chooseMicroBatchSize } from '../training/microBatch.js';
import { PRESETS, type PresetName } from '../training/presets.js';
import { createView } from '../views/createView.js';
import { roughDuration } from '../views/format.js';
import type { ViewStream } from '../views/view.js';
import { EXIT } from './exitCodes.js';
import { followRun } from './followRun.js';
import { loadData } from './loadData.js';

/** What the command line gives; what is absent is the preset's or the machine's. */
export interface TrainOptions {
  readonly preset: PresetName | 'auto';
  readonly device: DeviceType | 'auto';
  readonly threads?: number;
  readonly resize?: number;
  readonly batchSize?: number;
  readonly epochs?: number;
  readonly maxSteps?: number;
  readonly lr?: number;
  readonly seed: number;
  readonly dataDir?: string;
  readonly trainExamples?: number;
  readonly testExamples?: number;
  readonly checkpointMinutes?: number;
  readonly out?: string;
  readonly resume?: string;
  readonly json: boolean;
}

/**
 * What a whole training step reaches of the rate of large matrix products, counted by plain algorithms: wide convolutions
 * take a cleverer one. Measured 1.5 at 224x224 and 1 at 96x96 with batch normalisation.
 */
const TRAINING_SHARE = 1.2;

/** About how long a preset trains here, in seconds. */
function estimateSeconds(name: PresetName, matmulRate: number): number {
  const { net, transform, epochs } = PRESETS[name];
  const { multiplyAdds } = summary(net(), [1, 1, transform.resize, transform.resize]);
  // Forward, and backward for inputs and for weights: three times the multiply-adds, each two operations.
  return (epochs * 60_000 * multiplyAdds * 6) / (matmulRate * TRAINING_SHARE);
}

/** The preset for `auto`, and a sentence that says so. */
async function choosePreset(device: DeviceType, threads?: number): Promise<{ preset: PresetName; sentence: string }> {
  const rate = await measureMatmulRate(createNodeEngine({ device, threads }));
  const [preset, other]: [PresetName, PresetName] = device === 'webgpu' ? ['d2l', 'quick'] : ['quick', 'd2l'];
  const times = [preset, other].map((name) => `${name} takes about ${roughDuration(estimateSeconds(name, rate))}`);
  return { preset, sentence: `preset ${preset}, chosen for this machine's ${device}: here ${times.join(', ')}` };
}

/** A preset with what the command line gives instead. */
export function trainingConfig(
  name: PresetName,
  options: Pick<TrainOptions, 'resize' | 'batchSize' | 'epochs' | 'maxSteps' | 'lr' | 'seed'>,
  device: DeviceType,
): TrainingConfig {
  const preset = PRESETS[name];
  const resize = options.resize ?? preset.transform.resize;
  const net = preset.net();
  const batchSize = options.batchSize ?? preset.batchSize;
  return {
    preset: name,
    model: preset.model,
    net: net.toJSON(),
    initialisation: preset.initialisation,
    transform: { ...preset.transform, resize },
    batchSize,
    microBatchSize: device === 'cpu' ? chooseMicroBatchSize(net, batchSize, [resize, resize]) : batchSize,
    epochs: options.epochs ?? preset.epochs,
    maxSteps: options.maxSteps ?? null,
    learningRate: options.lr ?? preset.learningRate,
    schedule: preset.schedule,
    optimizer: preset.optimizer,
    seed: options.seed,
  };
}

/** The data of a run as its configuration says. */
function loadRunData(
  { transform, batchSize, seed }: TrainingConfig,
  options: Pick<TrainOptions, 'dataDir' | 'trainExamples' | 'testExamples'>,
  stream: ViewStream,
): Promise<[trainIter: DataIter, testIter: DataIter]> {
  const { dataDir, trainExamples, testExamples } = options;
  return loadData({ ...transform, batchSize, seed, dataDir, trainExamples, testExamples }, stream);
}

/** A result as one line for a program. */
export function writeJson(stdout: ViewStream, { state: _, ...figures }: RunResult, run: string): void {
  stdout.write(`${JSON.stringify({ ...figures, run })}\n`);
}

/** What an ended run tells the shell. */
export const exitCodes = { done: EXIT.done, interrupted: EXIT.interrupted, failed: EXIT.failed } as const;

/**
 * Trains a new run. Everything for people goes to `stdout`, or to `stderr` with `json`, where standard output gets one
 * line.
 * @returns the exit code
 */
export async function train(options: TrainOptions, stdout: ViewStream, stderr: ViewStream): Promise<number> {
  const stream = options.json ? stderr : stdout;
  const device = await chooseDevice(options.device, options.threads);
  let name = options.preset;
  if (name === 'auto') {
    const { preset, sentence } = await choosePreset(device, options.threads);
    stream.write(`${sentence}\n`);
    name = preset;
  }
  const config = trainingConfig(name, options, device);
  const [trainIter, testIter] = await loadRunData(config, options, stream);
  // Whatever the network cannot take is said before a folder is made.
  const { dataset, transform } = trainIter;
  PRESETS[name].net().outputShape([1, 1, transform.resize ?? dataset.height, transform.resize ?? dataset.width]);

  const { name: engineName, threads } = createNodeEngine({ device, threads: options.threads });
  const runConfig: RunConfig = {
    format: 1,
    training: config,
    data: {
      dir: options.dataDir ?? null,
      trainExamples: trainIter.exampleCount,
      testExamples: testIter.exampleCount,
      trainChecksum: dataset.checksum,
      testChecksum: testIter.dataset.checksum,
    },
    engine: { name: engineName, device, threads },
  };
  const folder = await RunFolder.create(options.out, runConfig);
  const job = {
    config,
    engine: { device, threads },
    train: trainIter,
    test: testIter.exampleCount > 0 ? testIter : undefined,
    checkpointMinutes: options.checkpointMinutes,
  };
  const result = await followRun(job, folder, createView(stream, { runFolder: folder.path }));
  if (options.json) writeJson(stdout, result, folder.path);
  return exitCodes[result.state];
}
