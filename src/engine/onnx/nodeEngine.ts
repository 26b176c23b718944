/**
 * ONNX Runtime in Node: native kernels for CPUs, and WebGPU where there is an adapter.
 */

import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { InferenceSession, listSupportedBackends, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Graph } from '../../graph/graph.js';
import type { Tensor, TensorData } from '../../graph/tensor.js';
import { formatShape, sizeOf } from '../../graph/tensorType.js';
import { type DeviceType, type Engine, EngineError, type Executable } from '../engine.js';
import { toOnnx } from './toOnnx.js';

const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };

export interface NodeEngineOptions {
  /** Default `cpu`. */
  readonly device?: DeviceType;
  /** CPU threads. Default: as many as the machine runs at once. */
  readonly threads?: number;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How sessions run: on which device, with how many threads. */
export function sessionOptions(device: DeviceType, threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
    intraOpNumThreads: threads,
    graphOptimizationLevel: 'all',
    // The block of memory that a pattern plans is taken beside that of the first run, which has none.
    enableMemPattern: false,
    // A waiting thread that spins takes a core from the other sessions' threads, and from other programs.
    extra: { 'session.intra_op.allow_spinning': '0' },
    // Errors reach the caller as exceptions; ONNX Runtime's own log lines would break into the live view.
    logSeverityLevel: 4,
  };
}

/**
 * A graph's inputs as ONNX Runtime takes them.
 * @throws EngineError where one is absent or has not as many values as its shape
 */
export function feedsOf(graph: Pick<Graph, 'inputs'>, inputs: ReadonlyMap<string, TensorData>) {
  const feeds: Record<string, OrtTensor> = {};
  for (const [name, { shape, dtype }] of graph.inputs) {
    const data = inputs.get(name);
    if (!data) throw new EngineError(`The graph's input "${name}" was not given.`);
    if (data.length !== sizeOf(shape)) {
      const needed = `${sizeOf(shape)} values (${formatShape(shape)})`;
      throw new EngineError(`The graph's input "${name}" needs ${needed}, ${data.length} were given.`);
    }
    feeds[`in.${name}`] = new OrtTensor(dtype, data, shape);
  }
  return feeds;
}

class NodeExecutable implements Executable {
  readonly #session: InferenceSession;
  readonly #graph: Pick<Graph, 'inputs'>;
  readonly #outputNames: readonly string[];

  constructor(session: InferenceSession, graph: Graph) {
    this.#session = session;
    this.#graph = { inputs: new Map(graph.inputs) };
    this.#outputNames = [...graph.outputs.keys()];
  }

  async run(inputs: ReadonlyMap<string, TensorData>): Promise<Map<string, Tensor>> {
    const results = await this.#session.run(feedsOf(this.#graph, inputs)).catch((error) => {
      throw new EngineError(`ONNX Runtime could not run the graph: ${messageOf(error)}`);
    });
    const outputs = new Map<string, Tensor>();
    for (const name of this.#outputNames) {
      const result = results[`out.${name}`] as OrtTensor;
      outputs.set(name, { shape: result.dims, data: (await result.getData()) as Float32Array });
    }
    return outputs;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

class NodeEngine implements Engine {
  readonly name = `onnxruntime-node ${version}`;

  constructor(
    readonly device: DeviceType,
    readonly threads: number,
  ) {}

  async compile(graph: Graph): Promise<Executable> {
    const options = sessionOptions(this.device, this.threads);
    const session = await InferenceSession.create(toOnnx(graph, this.device), options).catch((error) => {
      throw new EngineError(`ONNX Runtime could not prepare the graph on ${this.device}: ${messageOf(error)}`);
    });
    return new NodeExecutable(session, graph);
  }
}

/**
 * ONNX Runtime's native engine.
 * @throws EngineError where this build of ONNX Runtime does not have the device
 */
export function createNodeEngine({ device = 'cpu', threads = availableParallelism() }: NodeEngineOptions = {}): Engine {
  if (!listSupportedBackends().some(({ name }) => name === device)) {
    throw new EngineError(`This build of ONNX Runtime has no ${device} backend for this platform.`);
  }
  return new NodeEngine(device, threads);
}
