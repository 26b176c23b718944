/** `nin train`: from options to a run on the disk and in the terminal. */

import type { DataIter } from '../data/dataLoader.js';
import { chooseDevice, measureMatmulRate } from '../engine/chooseDevice.js';
import type { DeviceType } from '../engine/engine.js';
import { createNodeEngine, type NodeEngineOptions } from '../engine/onnx/nodeEngine.js';
import { summary } from '../nn/summary.js';
import type { RunConfig } from '../run/runConfig.js';
import { RunFolder } from '../run/runFolder.js';
import { startTraining } from '../run/startTraining.js';
import type { TrainingConfig } from '../training/config.js';
import type { TrainingEvent, TrainingResult } from '../training/events.js';
import { PRESETS, type PresetName } from '../training/presets.js';
import { chooseMicroBatchSize } from '../training/stepper.js';
import { curvesSvg } from '../views/curvesSvg.js';
import { roughDuration } from '../views/format.js';
import { createView, type ViewStream } from '../views/view.js';
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
  readonly out?: string;
  readonly json: boolean;
}

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Share of the rate of large matrix products that a whole training step reaches on a CPU, all in all. */
const TRAINING_SHARE = 0.6;

/** About how long a preset trains here, in seconds. */
function estimateSeconds(name: PresetName, matmulRate: number): number {
  const { net, transform, epochs } = PRESETS[name];
  const { multiplyAdds } = summary(net(), [1, 1, transform.resize, transform.resize]);
  // Forward, and backward for inputs and for weights: three times the multiply-adds, each two operations.
  return (epochs * 60_000 * multiplyAdds * 6) / (matmulRate * TRAINING_SHARE);
}

/** The preset for `auto`, and a sentence that says so. */
async function choosePreset(engine: NodeEngineOptions): Promise<{ preset: PresetName; sentence: string }> {
  const rate = await measureMatmulRate(createNodeEngine(engine));
  const [preset, other]: [PresetName, PresetName] = engine.device === 'webgpu' ? ['d2l', 'quick'] : ['quick', 'd2l'];
  const times = [preset, other].map((name) => `${name} takes about ${roughDuration(estimateSeconds(name, rate))}`);
  return { preset, sentence: `preset ${preset}, chosen for this machine's ${engine.device}: here ${times.join(', ')}` };
}

function trainingConfig(name: PresetName, options: TrainOptions, device: DeviceType): TrainingConfig {
  const preset = PRESETS[name];
  const net = preset.net();
  const batchSize = options.batchSize ?? preset.batchSize;
  return {
    preset: name,
    model: preset.model,
    net: net.toJSON(),
    initialisation: preset.initialisation,
    transform: { ...preset.transform, resize: options.resize ?? preset.transform.resize },
    batchSize,
    microBatchSize: device === 'cpu' ? chooseMicroBatchSize(net, batchSize) : batchSize,
    epochs: options.epochs ?? preset.epochs,
    maxSteps: options.maxSteps ?? null,
    learningRate: options.lr ?? preset.learningRate,
    schedule: preset.schedule,
    optimizer: preset.optimizer,
    seed: options.seed,
  };
}

function runConfig(
  training: TrainingConfig,
  options: TrainOptions,
  engine: NodeEngineOptions,
  trainIter: DataIter,
  testIter: DataIter,
): RunConfig {
  const { name, device, threads } = createNodeEngine(engine);
  return {
    format: 1,
    training,
    data: {
      dir: options.dataDir ?? null,
      trainExamples: trainIter.exampleCount,
      testExamples: testIter.exampleCount,
      trainChecksum: trainIter.dataset.checksum,
      testChecksum: testIter.dataset.checksum,
    },
    engine: { name, device, threads },
  };
}

/**
 * Trains. Everything for people goes to `stdout`, or to `stderr` with `json`, where standard output gets one line.
 * @returns the exit code
 */
export async function train(options: TrainOptions, stdout: ViewStream, stderr: ViewStream): Promise<number> {
  const stream = options.json ? stderr : stdout;
  const device = await chooseDevice(options.device, options.threads);
  const engine: NodeEngineOptions = { device, threads: options.threads };
  let preset: PresetName;
  if (options.preset === 'auto') {
    const chosen = await choosePreset(engine);
    stream.write(`${chosen.sentence}\n`);
    preset = chosen.preset;
  } else preset = options.preset;

  const config = trainingConfig(preset, options, device);
  const { dataDir, trainExamples, testExamples, seed } = options;
  const [trainIter, testIter] = await loadData(
    {
      ...config.transform,
      batchSize: config.batchSize,
      seed,
      dataDir,
      trainExamples,
      testExamples,
    },
    stream,
  );
  // Whatever the network cannot take is said before a folder is made.
  const { dataset, transform } = trainIter;
  const size = [transform.resize ?? dataset.height, transform.resize ?? dataset.width];
  PRESETS[preset].net().outputShape([1, 1, ...size]);

  const folder = await RunFolder.create(options.out, runConfig(config, options, engine, trainIter, testIter));
  const job = { config, engine, train: trainIter, test: testIter.exampleCount > 0 ? testIter : undefined };
  const result = await follow(startTraining({ ...job, state: undefined }), folder, stream);
  if (options.json) stdout.write(`${JSON.stringify({ ...withoutState(result), run: folder.path })}\n`);
  return result.state === 'done' ? EXIT.done : EXIT.interrupted;
}

function withoutState({ state: _, ...figures }: TrainingResult): Omit<TrainingResult, 'state'> {
  return figures;
}

/** Shows and records a run to its end. The first Ctrl-C ends it after its step, a second at once. */
async function follow(
  run: ReturnType<typeof startTraining>,
  folder: RunFolder,
  stream: ViewStream,
): Promise<TrainingResult> {
  const view = createView(stream, { runFolder: folder.path });
  const events: TrainingEvent[] = [];
  let signals = 0;
  const onSignal = () => {
    signals++;
    if (signals === 1) run.stop();
    else {
      view.close();
      process.exit(EXIT.interrupted);
    }
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    for await (const event of run) {
      folder.record(event);
      if (event.type !== 'progress') events.push(event);
      if (event.type !== 'end') {
        view.onEvent(event);
        continue;
      }
      await folder.finish(run.state, event.result, await curvesSvg(events));
      view.onEvent(event);
      return event.result;
    }
    throw new Error('The training thread ended without a word.');
  } finally {
    view.close();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
