/**
 * Which device to compute on. `auto` takes a graphics card only where it is faster than the CPU at a matrix product,
 * measured now: a software adapter, which imitates a graphics card on the CPU, never is.
 */

import { existsSync, readdirSync } from 'node:fs';
import { matmul, sumPerChannel } from '../graph/build.js';
import { Graph } from '../graph/graph.js';
import type { DeviceType, Engine } from './engine.js';
import { EngineError } from './engine.js';
import { createNodeEngine } from './onnx/nodeEngine.js';

/** Side of the matrices of the measurement; their product is 2.1 GFLOP. */
const SIDE = 1024;
const REPEATS = 3;

/**
 * Rate of large matrix products on an engine, in floating-point operations a second.
 * @throws EngineError where the engine does not work here
 */
export async function measureMatmulRate(engine: Engine): Promise<number> {
  const graph = new Graph();
  const a = graph.input('a', [SIDE, SIDE]);
  graph.output('y', sumPerChannel(matmul(a, a)));
  const executable = await engine.compile(graph);
  const inputs = new Map([['a', new Float32Array(SIDE * SIDE).fill(0.5)]]);
  let best = 0;
  for (let i = 0; i < REPEATS; i++) {
    const startedAt = performance.now();
    await executable.run(inputs);
    best = Math.max(best, (2 * SIDE ** 3 * 1000) / (performance.now() - startedAt));
  }
  await executable.release();
  return best;
}

/** Whether the operating system shows a graphics device at all; asking a driver that is not there prints warnings. */
function hasGraphicsDevice(): boolean {
  if (process.platform !== 'linux') return true;
  if (existsSync('/dev/nvidia0') || existsSync('/dev/dxg')) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
}

/** The faster of the CPU and the graphics card. */
async function fastestDevice(threads: number | undefined): Promise<DeviceType> {
  if (!hasGraphicsDevice()) return 'cpu';
  try {
    const gpu = await measureMatmulRate(createNodeEngine({ device: 'webgpu' }));
    const cpu = await measureMatmulRate(createNodeEngine({ threads }));
    return gpu > cpu ? 'webgpu' : 'cpu';
  } catch {
    return 'cpu';
  }
}

/** Makes sure that WebGPU works here. */
async function requireWebGpu(): Promise<void> {
  const graph = new Graph();
  graph.output('y', sumPerChannel(graph.input('x', [1, 1])));
  try {
    await (await createNodeEngine({ device: 'webgpu' }).compile(graph)).release();
  } catch {
    throw new EngineError(
      'The device webgpu is not there: ONNX Runtime found no graphics adapter. It needs a graphics card and its driver ' +
        '(on Linux Vulkan: libvulkan.so.1 and a driver for the card); use --device cpu to train without one.',
    );
  }
}

/**
 * The device that was asked for, or for `auto` the fastest.
 * @param threads CPU threads to compare with; absent: all
 * @throws EngineError where WebGPU was asked for and is not there
 */
export async function chooseDevice(wanted: DeviceType | 'auto', threads?: number): Promise<DeviceType> {
  if (wanted === 'auto') return fastestDevice(threads);
  if (wanted === 'webgpu') await requireWebGpu();
  return wanted;
}
