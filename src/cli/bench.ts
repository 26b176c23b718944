/** `nin bench`: how fast this machine trains and evaluates a preset, and with `--profile` where the time goes. */

import { Chalk } from 'chalk';
import { measureMatmulRate } from '../engine/chooseDevice.js';
import { createNodeEngine } from '../engine/onnx/nodeEngine.js';
import { profileGraph } from '../engine/onnx/profileGraph.js';
import type { TensorData } from '../graph/tensor.js';
import { sizeOf } from '../graph/tensorType.js';
import { initialise } from '../nn/initialise.js';
import { stateDict } from '../nn/stateDict.js';
import { summary } from '../nn/summary.js';
import { imageInputOf } from '../training/evaluate.js';
import { gradientGraph, networkImageSize } from '../training/networkGraph.js';
import { PRESETS, type PresetName } from '../training/presets.js';
import { timeEvaluation, timeTraining } from '../training/speed.js';
import { profileTable, type Speed, speedTable } from '../views/speedTable.js';
import type { ViewStream } from '../views/view.js';
import { loadData } from './loadData.js';
import { trainingConfig } from './train.js';

export interface BenchOptions {
  readonly preset: PresetName;
  readonly resize?: number;
  readonly batchSize?: number;
  readonly steps: number;
  readonly threads?: number;
  readonly profile: boolean;
  readonly json: boolean;
}

/** Runs of the graph that a profile is the average of. */
const PROFILED_RUNS = 5;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Largest memory of this process so far, in bytes. */
const peakMemory = () => process.resourceUsage().maxRSS * 1024;

/** Measures, and prints a table or, with `json`, one line. */
export async function bench(options: BenchOptions, stdout: ViewStream, stderr: ViewStream): Promise<void> {
  const stream = options.json ? stderr : stdout;
  const engine = createNodeEngine({ threads: options.threads });
  const config = trainingConfig(options.preset, { ...options, seed: 0 }, 'cpu');
  const net = PRESETS[options.preset].net();
  const { batchSize, transform, microBatchSize } = config;
  initialise(net, config.initialisation ?? undefined, config.seed);
  const [trainIter, testIter] = await loadData({ ...transform, batchSize, testExamples: batchSize }, stream);
  const imageSize = networkImageSize(imageInputOf(trainIter));
  const { multiplyAdds } = summary(net, [1, 1, ...imageSize]);

  if (options.profile) {
    const { graph } = gradientGraph(net, microBatchSize, imageInputOf(trainIter));
    const inputs = new Map<string, TensorData>();
    for (const [name, { shape }] of graph.inputs) inputs.set(name, new Float32Array(sizeOf(shape)).fill(1));
    for (const [name, { data }] of stateDict(net)) {
      inputs.set(`${inputs.has(`buffer.${name}`) ? 'buffer' : 'parameter'}.${name}`, data);
    }
    const { images, labels } = trainIter.batch(0, 0);
    inputs.set('images', images.subarray(0, sizeOf(graph.inputs.get('images')?.shape ?? [])));
    inputs.set('labels', Int32Array.from(labels.subarray(0, microBatchSize)));
    const profile = await profileGraph(graph, inputs, engine.threads, PROFILED_RUNS);
    stdout.write(`${profileTable(graph, profile, microBatchSize)}\n`);
    return;
  }

  const rates = async (seconds: AsyncIterable<number>, what: string) => {
    const measured: number[] = [];
    for await (const each of seconds) {
      measured.push(batchSize / each);
      stderr.write(`${what} ${measured.length} of ${options.steps}: ${(batchSize / each).toFixed(1)} examples/sec\n`);
    }
    return measured;
  };
  const training = await rates(timeTraining(engine, net, config, trainIter, options.steps), 'training step');
  const trainingPeak = peakMemory();
  const evaluation = await rates(timeEvaluation(engine, net, testIter, options.steps), 'evaluation');
  const matmulRate = await measureMatmulRate(engine);
  const speed: Speed = {
    preset: options.preset,
    imageSize,
    batchSize,
    threads: engine.threads,
    engine: engine.name,
    training: median(training),
    evaluation: median(evaluation),
    trainingSteps: training,
    evaluationSteps: evaluation,
    peakMemoryBytes: trainingPeak,
    // Forward, and backward for inputs and for weights: three times the multiply-adds, each two operations.
    trainingOperations: median(training) * multiplyAdds * 6,
    matmulOperations: matmulRate,
  };
  const paint = new Chalk({ level: (stdout.getColorDepth?.() ?? 1) > 1 ? 1 : 0 });
  stdout.write(options.json ? `${JSON.stringify(speed)}\n` : `${speedTable(speed, paint)}\n`);
}
