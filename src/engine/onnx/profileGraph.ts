/**
 * Where the time of a graph goes, by its own nodes. ONNX Runtime tells the time of each of its kernels; a kernel's name
 * begins with the node that it was written for, except where ONNX Runtime has put in one of its own.
 */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { z } from 'zod';
import type { Graph } from '../../graph/graph.js';
import type { TensorData } from '../../graph/tensor.js';
import { feedsOf, sessionOptions } from './nodeEngine.js';
import { toOnnx } from './toOnnx.js';

export interface GraphProfile {
  /** Seconds of one run by node, in the graph's order. What nodes share counts for the first. */
  readonly nodes: readonly number[];
  /** Seconds of kernels that ONNX Runtime has added: changes of layout. */
  readonly other: number;
}

const recordSchema = z.array(
  z.object({ cat: z.string().optional(), name: z.string().optional(), dur: z.number().optional() }),
);
const KERNEL = '_kernel_time';

/**
 * Runs a graph several times on the CPU and says how long each node took, on average.
 * @param runs counted, after one that is not
 */
export async function profileGraph(
  graph: Graph,
  inputs: ReadonlyMap<string, TensorData>,
  threads: number,
  runs: number,
): Promise<GraphProfile> {
  const folder = await mkdtemp(join(tmpdir(), 'nin-profile-'));
  try {
    const session = await InferenceSession.create(toOnnx(graph, 'cpu'), {
      ...sessionOptions('cpu', threads),
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
    });
    const feeds = feedsOf(graph, inputs);
    for (let i = 0; i <= runs; i++) await session.run(feeds);
    session.endProfiling();
    await session.release();
    const [file = ''] = await readdir(folder);
    return addUp(await readFile(join(folder, file), 'utf8'), graph.nodes.length, runs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The record lists the kernels run after run, and every run has the same ones. */
function addUp(record: string, nodeCount: number, runs: number): GraphProfile {
  const nodes = new Array<number>(nodeCount).fill(0);
  let other = 0;
  const kernels = recordSchema
    .parse(JSON.parse(record))
    .filter(({ cat, name }) => cat === 'Node' && name?.endsWith(KERNEL));
  for (const { name = '', dur = 0 } of kernels.slice(kernels.length / (runs + 1))) {
    const [, index] = /^[A-Za-z0-9]+#(\d+)\//.exec(name) ?? [];
    const seconds = dur / 1e6 / runs;
    if (index === undefined) other += seconds;
    else nodes[Number(index)] = (nodes[Number(index)] ?? 0) + seconds;
  }
  return { nodes, other };
}
