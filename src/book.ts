/**
 * The book's functions under the book's names (Dive into Deep Learning, section NiN, PyTorch edition), for its
 * readers. Each is a few lines on top of the rest of the house.
 */

import { stdout } from 'node:process';
import type { DataIter } from './data/dataLoader.js';
import { chooseDevice } from './engine/chooseDevice.js';
import type { DeviceType } from './engine/engine.js';
import { createNodeEngine } from './engine/onnx/nodeEngine.js';
import type { Tensor } from './graph/tensor.js';
import { initialise } from './nn/initialise.js';
import type { Layer } from './nn/layer.js';
import { isInitialised, parameterNames, stateDict } from './nn/stateDict.js';
import { train } from './run/train.js';
import { Evaluator, imageInputOf } from './training/evaluate.js';
import type { TrainingResult } from './training/events.js';
import { layerGraph } from './training/networkGraph.js';
import { createView } from './views/createView.js';

/**
 * The i-th GPU if there is one, else the CPU: the book's `try_gpu`. ONNX Runtime reaches one graphics card, so only
 * `i = 0` can be one; a software adapter never is.
 */
export async function tryGpu(i = 0): Promise<DeviceType> {
  return i === 0 ? chooseDevice('auto') : 'cpu';
}

/**
 * Runs an input through a layer or network in evaluation: the book's `layer(X)`.
 * A layer without weights gets PyTorch's default ones.
 * @param x N x C x H x W, or what the layer takes
 * @example
 * let X = tensor([1, 1, 224, 224]);
 * for (const layer of nin()) {
 *   X = await forward(layer, X);
 *   console.log(layer.type, 'output shape:', X.shape);
 * }
 */
export async function forward(layer: Layer, x: Tensor, device: DeviceType = 'cpu'): Promise<Tensor> {
  if (!isInitialised(layer)) initialise(layer);
  const executable = await createNodeEngine({ device }).compile(layerGraph(layer, x.shape));
  const trainable = new Set(parameterNames(layer));
  const inputs = new Map(
    [...stateDict(layer)].map(([name, { data }]) => [`${trainable.has(name) ? 'parameter' : 'buffer'}.${name}`, data]),
  );
  const outputs = await executable.run(inputs.set('x', x.data));
  await executable.release();
  return outputs.get('y') as Tensor;
}

/**
 * Share of a data iterator's examples that a network classifies correctly: the book's `evaluate_accuracy_gpu`.
 * @throws GraphError where the network has no weights
 */
export async function evaluateAccuracy(net: Layer, dataIter: DataIter, device: DeviceType = 'cpu'): Promise<number> {
  const evaluator = new Evaluator(createNodeEngine({ device }), net, imageInputOf(dataIter));
  try {
    return (await evaluator.evaluate(stateDict(net), dataIter))?.accuracy ?? Number.NaN;
  } finally {
    await evaluator.release();
  }
}

/**
 * Trains a network as the book does: Xavier-uniform weights, plain SGD, a live plot, the closing lines. The network
 * has the trained weights afterwards. Names and order of the parameters are the book's.
 * @param device default: the first GPU, else the CPU
 * @example
 * const [trainIter, testIter] = await loadDataFashionMnist({ batchSize: 128, resize: 224 });
 * await trainCh6(nin(), trainIter, testIter, 10, 0.1, await tryGpu());
 */
export async function trainCh6(
  net: Layer,
  trainIter: DataIter,
  testIter: DataIter,
  numEpochs: number,
  lr: number,
  device?: DeviceType,
): Promise<TrainingResult> {
  const view = createView(stdout);
  try {
    const run = train(net, trainIter, testIter, {
      epochs: numEpochs,
      learningRate: lr,
      initialisation: 'xavierUniform',
      seed: trainIter.seed,
      device: device ?? (await tryGpu()),
    });
    for await (const event of run) {
      view.onEvent(event);
      if (event.type === 'end') return event.result;
    }
    throw new Error('The training thread ended without a word.');
  } finally {
    view.close();
  }
}
