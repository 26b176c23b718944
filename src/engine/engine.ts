/**
 * What the rest of the house knows of an engine: it compiles a graph once and runs it many times.
 *
 * Engines keep no numbers between runs. Parameters, gradients and statistics go in and come out as named tensors, so
 * that a run of training can be stopped, saved and continued between any two calls.
 */

import type { Graph } from '../graph/graph.js';
import type { Tensor, TensorData } from '../graph/tensor.js';

/** `cpu`, or `webgpu` through a graphics adapter. */
export type DeviceType = 'cpu' | 'webgpu';

export interface Engine {
  /** Name and version, e.g. `onnxruntime-node 1.30.0`. */
  readonly name: string;
  readonly device: DeviceType;
  /** CPU threads in use. */
  readonly threads: number;
  /**
   * Prepares a graph for running.
   * @throws EngineError where the engine cannot run it
   */
  compile(graph: Graph): Promise<Executable>;
}

export interface Executable {
  /**
   * Runs the graph once.
   * @param inputs one array per graph input, in its shape's row-major order
   * @returns one tensor per graph output; its memory belongs to the caller
   * @throws EngineError where the run fails
   */
  run(inputs: ReadonlyMap<string, TensorData>): Promise<Map<string, Tensor>>;
  /** Gives back the engine's memory. */
  release(): Promise<void>;
}

/** The engine cannot do what it was asked. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}
