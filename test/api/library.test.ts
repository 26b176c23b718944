/** The built library as its user has it: the book's functions, and training as a stream of events. */

import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type * as Library from '../../src/index.js';
import { ROOT, startNode, temporaryFolder } from '../cli/nin.js';

// Not from src: training starts a thread, and that is a file of dist.
const library = (await import(pathToFileURL(join(ROOT, 'dist', 'index.js')).href)) as typeof Library;
const { conv2d, relu, maxPool2d, adaptiveAvgPool2d, batchNorm2d, flatten, sequential } = library;
const { evaluateAccuracy, forward, loadDataFashionMnist, nin, stateDict, tensor, train, tryGpu } = library;

/** A network that trains in a moment. */
const smallNet = () =>
  sequential(
    conv2d(1, 8, 5, { stride: 2 }),
    batchNorm2d(8),
    relu(),
    maxPool2d(3, { stride: 2 }),
    conv2d(8, 10, 3),
    adaptiveAvgPool2d([1, 1]),
    flatten(),
  );

let trainIter: Library.DataIter;
let testIter: Library.DataIter;

beforeAll(async () => {
  [trainIter, testIter] = await loadDataFashionMnist({ batchSize: 32, trainExamples: 256, testExamples: 100 });
});

const weightsOf = (net: Library.Layer) => [...stateDict(net)].map(([name, { data }]) => [name, Array.from(data)]);

describe('tryGpu', () => {
  it('is the CPU for all but the first graphics card', async () => {
    expect(await tryGpu(1)).toBe('cpu');
    expect(['cpu', 'webgpu']).toContain(await tryGpu());
  });
});

describe('forward', () => {
  it('gives weights to a layer without any, and uses those of one that has them', async () => {
    const layer = conv2d(1, 2, 3, { padding: 1 });
    const x = tensor(
      [1, 1, 4, 4],
      Float32Array.from({ length: 16 }, (_, i) => i),
    );
    const y = await forward(layer, x);
    expect(y.shape).toEqual([1, 2, 4, 4]);
    expect((await forward(layer, x)).data).toEqual(y.data);
    // Twice the weights and no bias: twice the result.
    const { weight, bias } = Object.fromEntries(stateDict(layer));
    bias?.data.fill(0);
    const once = await forward(layer, x);
    weight?.data.forEach((value, i, data) => {
      data[i] = 2 * value;
    });
    const twice = await forward(layer, x);
    expect(twice.data).toEqual(once.data.map((value) => 2 * value));
    expect(once.data.some((value) => value !== 0)).toBe(true);
  });

  it('says what is wrong with an input', async () => {
    await expect(forward(nin(), tensor([1, 3, 224, 224]))).rejects.toThrow(/input/);
    await expect(forward(nin(), tensor([1, 1, 20, 20]))).rejects.toThrow(/Layer 3, MaxPool2d.*cannot take/);
  });
});

describe('trainCh6', () => {
  it("trains the network, prints the book's lines, and evaluateAccuracy agrees", async () => {
    // In a process of its own, which has a standard output to print to.
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'node_modules'));
    await symlink(ROOT, join(folder, 'node_modules', 'nin-network-in-network'), 'dir');
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    await writeFile(
      join(folder, 'book.js'),
      `import * as d2l from 'nin-network-in-network';
       const [trainIter, testIter] = await d2l.loadDataFashionMnist({ batchSize: 32, trainExamples: 256, testExamples: 100 });
       const net = d2l.sequential(d2l.conv2d(1, 10, 9, { stride: 3 }), d2l.relu(), d2l.adaptiveAvgPool2d([1, 1]), d2l.flatten());
       d2l.initialise(net, 'xavierUniform', trainIter.seed);
       const before = d2l.stateDict(net).get('0.weight').data.slice();
       const result = await d2l.trainCh6(net, trainIter, testIter, 2, 0.1, 'cpu');
       const after = d2l.stateDict(net).get('0.weight').data;
       const accuracy = await d2l.evaluateAccuracy(net, testIter);
       console.log(JSON.stringify({ result, accuracy, hasChanged: after.some((value, i) => value !== before[i]) }));`,
    );
    const { code, stdout, stderr } = await startNode(['book.js'], { cwd: folder }).outcome;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { result, accuracy, hasChanged } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
      result: Library.TrainingResult;
      accuracy: number;
      hasChanged: boolean;
    };
    expect(hasChanged).toBe(true);
    expect(accuracy).toBe(result.testAccuracy);
    expect(result).toMatchObject({ state: 'done', steps: 16, epochs: 2, device: 'cpu', preset: 'custom' });
    const figures = [result.loss, result.trainAccuracy, result.testAccuracy].map((figure) => figure?.toFixed(3));
    expect(stdout).toMatch(/^training on cpu\n/);
    expect(stdout).toContain(`\nloss ${figures[0]}, train acc ${figures[1]}, test acc ${figures[2]}\n`);
    expect(stdout).toContain(`\n${result.examplesPerSecond?.toFixed(1)} examples/sec on cpu\n`);
  });
});

describe('train', () => {
  it('is a stream of events; at its end the network has the trained weights', async () => {
    const net = smallNet();
    const types: string[] = [];
    let result: Library.TrainingResult | undefined;
    const run = train(net, trainIter, testIter, { epochs: 4, learningRate: 0.2, momentum: 0.9, threads: 1 });
    for await (const event of run) {
      if (event.type !== 'progress') types.push(event.type);
      if (event.type === 'end') result = event.result;
    }
    expect(types[0]).toBe('start');
    expect(types.at(-1)).toBe('end');
    expect(types.filter((type) => type === 'step')).toHaveLength(32);
    expect(types.filter((type) => type === 'epoch')).toHaveLength(4);
    expect(result).toMatchObject({ state: 'done', steps: 32, epochs: 4, threads: 1 });
    expect(result?.testAccuracy).toBeGreaterThan(0.2);
    expect(await evaluateAccuracy(net, testIter)).toBe(result?.testAccuracy);
    for (const [name, { data }] of run.state) expect(stateDict(net).get(name)?.data).toEqual(data);
  });

  it('gives the same weights again for the same seed, and others for another', async () => {
    const trained = async (seed: number) => {
      const net = smallNet();
      for await (const _ of train(net, trainIter, undefined, { maxSteps: 3, seed, threads: 1 }));
      return weightsOf(net);
    };
    const weights = await trained(1);
    expect(await trained(1)).toEqual(weights);
    expect(await trained(2)).not.toEqual(weights);
  });

  it('goes on from the weights that a network has', async () => {
    const net = smallNet();
    const losses: number[] = [];
    for (let i = 0; i < 2; i++) {
      for await (const event of train(net, trainIter, undefined, { epochs: 2, learningRate: 0.2, threads: 1 })) {
        if (event.type === 'step' && event.step === 1) losses.push(event.loss);
      }
    }
    // The same first batch, after 16 steps.
    expect(losses[1]).toBeLessThan((losses[0] as number) - 0.1);
  });

  it('stop() ends it after its step, with what it has learned so far', async () => {
    const net = smallNet();
    const run = train(net, trainIter, testIter, { epochs: 10_000, threads: 1 });
    let result: Library.TrainingResult | undefined;
    for await (const event of run) {
      if (event.type === 'step' && event.step === 5) run.stop();
      if (event.type === 'end') result = event.result;
    }
    expect(result?.state).toBe('interrupted');
    expect(result?.steps).toBeGreaterThanOrEqual(5);
    expect(result?.steps).toBeLessThan(80_000);
    expect(await evaluateAccuracy(net, testIter)).toBeGreaterThanOrEqual(0);
  });

  it('may be left early, and the program goes on', async () => {
    // In a process of its own: the failure to fear ends the process. The network is large enough to be left in a step.
    const script = `
      import { loadDataFashionMnist, nin, train } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'index.js')))};
      const [trainIter] = await loadDataFashionMnist({ batchSize: 32, resize: 67, trainExamples: 256, testExamples: 0 });
      for await (const event of train(nin(), trainIter, undefined, { threads: 1 })) if (event.type === 'step') break;
      try {
        for await (const event of train(nin(), trainIter, undefined, { threads: 1 })) {
          if (event.type === 'step') throw new Error('of mine');
        }
      } catch ({ message }) {
        console.log(message);
      }
      console.log('goes on');`;
    expect(await startNode(['--input-type=module', '-e', script]).outcome).toEqual({
      code: 0,
      stdout: 'of mine\ngoes on\n',
      stderr: '',
    });
  });

  it.each<[Library.TrainOptions, string]>([
    [{ epochs: 0 }, 'epochs'],
    [{ epochs: Number.NaN }, 'epochs'],
    [{ maxSteps: 1.5 }, 'maxSteps'],
    [{ learningRate: -1 }, 'learningRate'],
    [{ momentum: 2 }, 'optimizer.momentum'],
    [{ weightDecay: -1 }, 'optimizer.weightDecay'],
    [{ maxGradientNorm: 0 }, 'optimizer.maxGradientNorm'],
    [{ warmup: 2 }, 'schedule.warmup'],
    [{ schedule: 'sometimes' as 'constant' }, 'schedule.name'],
    [{ initialisation: 'zeros' as 'pytorch' }, 'initialisation'],
    [{ seed: -1 }, 'seed'],
  ])('refuses %j with a sentence', (options, option) => {
    const wrong = () => train(smallNet(), trainIter, testIter, options);
    expect(wrong).toThrow(library.RunError);
    expect(wrong).toThrow(`The option ${option} cannot be used: `);
  });

  it('refuses images that the network cannot take, before it starts', () => {
    expect(() => train(nin(), trainIter, testIter)).toThrow(library.GraphError);
    expect(() => train(nin(), trainIter, testIter)).toThrow(
      /Layer \d, MaxPool2d\(3, stride=2\), cannot take an input of/,
    );
  });
});

describe('evaluateAccuracy', () => {
  it('refuses a network without weights', async () => {
    await expect(evaluateAccuracy(smallNet(), testIter)).rejects.toThrow(library.GraphError);
  });
});

describe('loadDataFashionMnist', () => {
  it('refuses wrong options with a sentence', async () => {
    await expect(loadDataFashionMnist({ batchSize: 0 })).rejects.toThrow(library.DataError);
    await expect(loadDataFashionMnist({ batchSize: 1, trainExamples: 60_001 })).rejects.toThrow(
      /trainExamples.*60,?001/,
    );
  });
});
