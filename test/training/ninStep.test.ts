/** One step of the book's NiN against PyTorch: real images, resized in the graph, ties at the first pool and all. */

import { afterAll, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../../src/engine/onnx/nodeEngine.js';
import type { TensorData } from '../../src/graph/tensor.js';
import { sizeOf } from '../../src/graph/tensorType.js';
import { nin } from '../../src/nn/models/nin.js';
import { stateShapes } from '../../src/nn/stateDict.js';
import { gradientGraph } from '../../src/training/networkGraph.js';
import { loadNinStep, relativeError, sampleErrors } from '../support/reference.js';

const TOLERANCE = 1e-5;

const step = loadNinStep();
const batch = step.labels.length;
const engine = createNodeEngine();

describe('a step of NiN', async () => {
  const net = nin();
  const { graph } = gradientGraph(net, batch, { height: 28, width: 28, transform: { resize: step.network.resize } });
  const inputs = new Map<string, TensorData>([
    ['images', step.images],
    ['labels', Int32Array.from(step.labels)],
    ['weights', new Float32Array(batch).fill(1 / batch)],
    ['mask.6', step.mask.data],
  ]);
  for (const [name, shape] of stateShapes(net)) {
    inputs.set(`parameter.${name}`, step.parameters[name]?.data ?? new Float32Array());
    inputs.set(`gradient.${name}`, new Float32Array(sizeOf(shape)));
  }
  const executable = await engine.compile(graph);
  const outputs = await executable.run(inputs);
  afterAll(() => executable.release());

  it('has the parameters of the book, by PyTorch names', () => {
    expect([...stateShapes(net)]).toEqual(Object.entries(step.parameters).map(([name, { shape }]) => [name, shape]));
  });

  it('gives the same logits and loss', () => {
    expect(relativeError(outputs.get('logits')?.data ?? [], step.logits.data)).toBeLessThan(TOLERANCE);
    expect(Math.abs((outputs.get('loss')?.data[0] ?? Number.NaN) / step.loss - 1)).toBeLessThan(TOLERANCE);
  });

  it.each(Object.keys(step.gradients))('gives the same gradient for %s', (name) => {
    const gradient = outputs.get(`gradient.${name}`);
    const expected = step.gradients[name];
    if (!gradient || !expected) throw new Error(`There is no gradient for ${name}.`);
    expect(gradient.shape).toEqual(expected.shape);
    const { elements, norm, sum } = sampleErrors(gradient.data, expected);
    expect(elements).toBeLessThan(TOLERANCE);
    expect(norm).toBeLessThan(TOLERANCE);
    expect(sum).toBeLessThan(TOLERANCE);
  });
});
