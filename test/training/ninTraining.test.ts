/** Twenty steps of the book's NiN on images of 224x224, against PyTorch's. */

import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../../src/engine/onnx/nodeEngine.js';
import { loadNinTraining } from '../support/reference.js';
import { expectLosses, expectParameters, ninOf, trainOn } from './referenceRun.js';

describe('twenty steps of NiN', async () => {
  const fixture = loadNinTraining();
  const { losses, norms, parameters } = await trainOn(createNodeEngine(), ninOf(fixture.network), fixture);

  it('have the losses of PyTorch', () => {
    // Where a ReLU or a maximum is undecided, two float32 programs part by 1e-5 (losses32 in the fixture); training
    // itself lowers the last loss by 1e-2.
    const effect = (fixture.untrained.at(-1) ?? 0) - (fixture.losses.at(-1) ?? 0);
    expect(effect).toBeGreaterThan(0.01);
    expectLosses(losses, fixture.losses, 1e-4);
  });

  it('have the gradient norms of PyTorch', () => {
    for (const [i, norm] of norms.entries()) {
      expect(Math.abs(norm / (fixture.norms[i] ?? Number.NaN) - 1), `norm of step ${i}`).toBeLessThan(1e-2);
    }
  });

  it('end with the parameters of PyTorch', () => {
    // PyTorch's float32 is up to 2e-6 away; not training at all would be 1e-3.
    expectParameters(parameters, fixture.final, () => 2e-5);
  });
});
