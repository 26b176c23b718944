import { describe, expect, it } from 'vitest';
import * as build from '../../src/graph/build.js';
import { Graph } from '../../src/graph/graph.js';
import { profileTable, speedTable } from '../../src/views/speedTable.js';

describe('speedTable', () => {
  it('shows medians with their spread, the share of the machine and the memory', () => {
    const text = speedTable({
      preset: 'd2l',
      imageSize: [224, 224],
      batchSize: 128,
      threads: 2,
      engine: 'onnxruntime-node 1.30.0',
      training: 50,
      evaluation: 200,
      trainingSteps: [48, 50, 51.25],
      evaluationSteps: [199, 200, 201],
      peakMemoryBytes: 2 ** 29,
      trainingOperations: 228e9,
      matmulOperations: 200e9,
    });
    expect(text.split('\n')).toEqual([
      'preset d2l · 224 × 224 pixels · batch size 128 · onnxruntime-node 1.30.0 · 2 threads',
      '',
      '             examples/sec          spread',
      '──────────────────────────────────────────',
      ' training            50.0    48.0 to 51.3',
      ' evaluation         200.0  199.0 to 201.0',
      '',
      ' A training step is 228 GFLOP/s counted by plain algorithms, 114% of the 200 GFLOP/s of large matrix products here.',
      ' Largest memory while training: 0.50 GiB.',
    ]);
  });
});

describe('profileTable', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 8, 6, 6]);
  const y = build.conv2d(x, graph.input('weight', [16, 8, 3, 3]), undefined, 1, 1);
  build.relu(y);

  it('lists the nodes by their time, with the rate of those that compute', () => {
    const lines = profileTable(graph, { nodes: [0.001, 0.003], other: 0.001 }, 2).split('\n');
    expect(lines[2]).toMatch(/^ relu +2×16×6×6 +3\.00 +60\.0% +━+$/);
    // 2 * 2 * 16 * 36 * 72 operations in a millisecond.
    expect(lines[3]).toMatch(/^ conv2d +2×8×6×6 {2}16×8×3×3 +1\.00 +20\.0% +━+╾?─+ +0$/);
    expect(lines.find((line) => line.includes('changes of layout'))).toMatch(/1\.00 +20\.0%/);
    expect(lines.at(-2)).toContain('5.0 ms for 2 examples, forward and backward: 400.0 examples/sec');
  });

  it('adds up what is not shown', () => {
    const long = new Graph();
    let value = long.input('x', [4]);
    for (let i = 0; i < 30; i++) value = build.relu(value);
    const text = profileTable(long, { nodes: new Array(30).fill(0.001), other: 0 }, 1);
    expect(text.split('\n').filter((line) => line.startsWith(' relu'))).toHaveLength(20);
    expect(text).toMatch(/all other operators +10\.00 +33\.3%/);
  });
});
