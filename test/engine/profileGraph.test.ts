/** A profile tells the time of a graph's own nodes, and leaves nothing behind. */

import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { profileGraph } from '../../src/engine/onnx/profileGraph.js';
import * as build from '../../src/graph/build.js';
import { Graph } from '../../src/graph/graph.js';
import { hashUniform } from '../support/reference.js';

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('nin-profile-'));

it('times each node of a graph by its place', async () => {
  const graph = new Graph();
  const x = graph.input('x', [16, 32, 24, 24]);
  const weight = graph.input('weight', [64, 32, 5, 5]);
  const convolved = build.conv2d(x, weight, undefined, 1, 2);
  graph.output('y', build.sumPerChannel(build.maxPool2d(convolved, { kernelSize: 3, stride: 2, padding: 0 })));
  const inputs = new Map([
    ['x', hashUniform(1, 16 * 32 * 24 * 24)],
    ['weight', hashUniform(2, 64 * 32 * 25)],
  ]);
  const before = leftovers();
  const { nodes, other } = await profileGraph(graph, inputs, 1, 3);
  expect(nodes).toHaveLength(3);
  for (const seconds of nodes) expect(seconds).toBeGreaterThan(0);
  expect(other).toBeGreaterThanOrEqual(0);
  // 1 GFLOP against a comparison for each of its outputs.
  expect(nodes[0]).toBeGreaterThan(nodes[1] ?? Number.NaN);
  expect(leftovers()).toEqual(before);
});
