/** The engine as the rest of the house sees it: what it refuses, what it promises of names, memory and repetition. */

import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/engine/engine.js';
import { createNodeEngine } from '../../src/engine/onnx/nodeEngine.js';
import * as build from '../../src/graph/build.js';
import { Graph, type Value } from '../../src/graph/graph.js';
import type { TensorData } from '../../src/graph/tensor.js';
import { sizeOf } from '../../src/graph/tensorType.js';
import { batchNorm2d } from '../../src/nn/layers/batchNorm2d.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { dropout, flatten, relu } from '../../src/nn/layers/pointwise.js';
import { adaptiveAvgPool2d, maxPool2d } from '../../src/nn/layers/pooling.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import { gradientGraph, updateGraph } from '../../src/training/networkGraph.js';
import { hashUniform, maximumError } from '../support/reference.js';
import { engine, runGraph } from '../support/runGraph.js';

/** Inputs for a graph: pseudo-random floats, bytes and classes 0 to 3. */
function inputsOf(graph: Graph): Map<string, TensorData> {
  const inputs = new Map<string, TensorData>();
  for (const [i, [name, { shape, dtype }]] of [...graph.inputs].entries()) {
    const uniform = hashUniform(i, sizeOf(shape));
    if (dtype === 'uint8')
      inputs.set(
        name,
        Uint8Array.from(uniform, (x) => 127 * (1 + x)),
      );
    else if (dtype === 'int32')
      inputs.set(
        name,
        Int32Array.from(uniform, (x) => 2 * (1 + x)),
      );
    else inputs.set(name, name.includes('running_var') ? uniform.map((x) => 2 + x) : uniform);
  }
  return inputs;
}

/** Runs a graph and returns the bytes of its outputs. */
async function bytesOf(graph: Graph, runs: number, threads = 1): Promise<string[]> {
  const executable = await createNodeEngine({ threads }).compile(graph);
  const inputs = inputsOf(graph);
  const results: string[] = [];
  for (let i = 0; i < runs; i++) {
    const outputs = await executable.run(inputs);
    results.push(
      [...outputs]
        .map(
          ([name, { data }]) => `${name} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')}`,
        )
        .join('\n'),
    );
  }
  await executable.release();
  return results;
}

describe('a training graph', () => {
  const net = sequential(
    conv2d(1, 8, 5, { stride: 2 }),
    batchNorm2d(8),
    relu(),
    maxPool2d(3, { stride: 2 }),
    conv2d(8, 8, 3, { padding: 1 }),
    relu(),
    dropout(0.5),
    conv2d(8, 4, 1),
    adaptiveAvgPool2d([1, 1]),
    flatten(),
  );
  const { graph } = gradientGraph(net, 8, { height: 28, width: 28, transform: { resize: 40 } });

  it.each([1, 2])('gives the same bits in every run and every session, with %s threads', async (threads) => {
    const first = await bytesOf(graph, 4, threads);
    const second = await bytesOf(graph, 1, threads);
    expect(new Set([...first, ...second]).size).toBe(1);
    expect(first[0]).toContain('gradient.0.weight ');
  });

  it('gives the same bits for the update', async () => {
    const update = updateGraph(net, { momentum: 0.9, nesterov: true, weightDecay: 1e-3, maxGradientNorm: 1 });
    expect(new Set(await bytesOf(update, 4)).size).toBe(1);
  });
});

describe('a run', () => {
  const sum = () => {
    const graph = new Graph();
    graph.output('y', build.add(graph.input('a', [2]), graph.input('b', [2])));
    return graph;
  };

  it('names the input that is missing', async () => {
    const executable = await engine.compile(sum());
    const missing = executable.run(new Map([['a', new Float32Array(2)]]));
    await expect(missing).rejects.toThrow(new EngineError('The graph\'s input "b" was not given.'));
    await executable.release();
  });

  it('refuses an input of another length with an EngineError', async () => {
    const executable = await engine.compile(sum());
    const inputs = new Map([
      ['a', new Float32Array(2)],
      ['b', new Float32Array(3)],
    ]);
    const error = await executable.run(inputs).catch((thrown: unknown) => thrown);
    await executable.release();
    expect(error).toBeInstanceOf(EngineError);
  });

  it('ignores inputs that the graph does not have', async () => {
    const executable = await engine.compile(sum());
    const [a, b, c] = [Float32Array.of(1, 2), Float32Array.of(3, 4), Float32Array.of(5, 6)];
    const outputs = await executable.run(new Map(Object.entries({ a, b, c })));
    expect(outputs.get('y')).toEqual({ shape: [2], data: Float32Array.of(4, 6) });
    await executable.release();
  });

  it('gives memory that no later run changes', async () => {
    const executable = await engine.compile(sum());
    const inputs = new Map([
      ['a', Float32Array.of(1, 2)],
      ['b', Float32Array.of(3, 4)],
    ]);
    const first = (await executable.run(inputs)).get('y')?.data;
    inputs.set('a', Float32Array.of(-1, -2));
    const second = (await executable.run(inputs)).get('y')?.data;
    expect([first, second]).toEqual([Float32Array.of(4, 6), Float32Array.of(2, 2)]);
    await executable.release();
  });
});

describe('a graph', () => {
  it('may give an input as an output, and a value under two names', async () => {
    const x = { shape: [3], data: Float32Array.of(-1, 0, 2) };
    const outputs = await runGraph({ x }, (v) => {
      if (!v.x) throw new Error('The graph has no input.');
      const y = build.relu(v.x);
      return { same: v.x, identity: build.affine(v.x, 1, 0), y, again: y, reshaped: build.reshape(y, [3, 1]) };
    });
    expect(outputs.same?.data).toEqual(x.data);
    expect(outputs.identity?.data).toEqual(x.data);
    expect(outputs.y?.data).toEqual(Float32Array.of(0, 0, 2));
    expect(outputs.again?.data).toEqual(outputs.y?.data);
    expect(outputs.reshaped?.shape).toEqual([3, 1]);
  });

  it('may have names of any kind', async () => {
    const x = { shape: [1], data: Float32Array.of(3) };
    const name = 'a b/ü"\\';
    const outputs = await runGraph({ [name]: x }, (v) => ({ 'y z': build.relu(v[name] as Value) }));
    expect(outputs['y z']?.data).toEqual(x.data);
  });

  it('that no engine can compute is refused with a sentence', async () => {
    const graph = new Graph();
    // A gradient that belongs to no pooling of this input: gradient operators trust the rules that build them.
    const [x, y, dy] = [[6, 6] as const, [5, 5] as const, [5, 5] as const].map((size, i) =>
      graph.input(`${i}`, [1, 1, ...size]),
    ) as [Value, Value, Value];
    graph.output('dx', build.maxPool2dGrad(x, y, dy, { kernelSize: 2, stride: 2, padding: 0 }));
    await expect(engine.compile(graph)).rejects.toThrow(EngineError);
    await expect(engine.compile(graph)).rejects.toThrow(/^ONNX Runtime could not prepare the graph on cpu: /);
  });
});

describe('the optimiser', () => {
  it('measures the norm over all gradients, and clips to it only what is longer', async () => {
    const a = { shape: [2], data: Float32Array.of(3, 0) };
    const b = { shape: [1, 1], data: Float32Array.of(-4) };
    const values = await runGraph({ a, b }, (v) => {
      if (!v.a || !v.b) throw new Error('The graph has no inputs.');
      const norm = build.globalNorm([v.a, v.b]);
      return {
        norm,
        half: build.clipFactor(norm, 2.5),
        none: build.clipFactor(norm, 10),
        never: build.clipFactor(norm, Infinity),
      };
    });
    const scalars = Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, data[0]]));
    expect(scalars).toEqual({ norm: 5, half: expect.closeTo(0.5, 6), none: 1, never: 1 });
  });

  it('follows a statistic by the share of the momentum', async () => {
    const average = { shape: [2], data: Float32Array.of(1, -2) };
    const value = { shape: [2], data: Float32Array.of(3, 8) };
    const { y } = await runGraph({ average, value }, (v) => {
      if (!v.average || !v.value) throw new Error('The graph has no inputs.');
      return { y: build.movingAverage(v.average, v.value, 0.1) };
    });
    expect(maximumError(y?.data ?? [], [1.2, -1])).toBeLessThan(1e-6);
  });
});

describe('the engine', () => {
  it('names itself, its device and its threads', () => {
    expect(createNodeEngine({ threads: 3 })).toMatchObject({ device: 'cpu', threads: 3 });
    expect(engine.name).toMatch(/^onnxruntime-node \d+\.\d+\.\d+/);
  });
});
