/** Ten steps of a small NiN with momentum, Nesterov, weight decay and clipped gradients, against PyTorch's. */

import { describe, expect, it } from 'vitest';
import { loadTinyTraining } from '../support/reference.js';
import { engine } from '../support/runGraph.js';
import { expectLosses, expectParameters, ninOf, trainOn } from './referenceRun.js';

/** PyTorch's own float32 is 2e-7 away from its float64; a wrong term of the update is 1e-3 and more. */
const TOLERANCE = 2e-6;

describe('ten steps of a small NiN', async () => {
  const fixture = loadTinyTraining();
  const { losses, norms, parameters } = await trainOn(engine, ninOf(fixture.network), fixture);

  it('use all of the optimiser', () => {
    expect(fixture.optimizer).toMatchObject({ momentum: 0.9, nesterov: true, clipNorm: 1 });
    expect(fixture.optimizer.weightDecay).toBeGreaterThan(0);
    expect(fixture.norms.some((norm) => norm > 1) && fixture.norms.some((norm) => norm < 1)).toBe(true);
  });

  it('have the losses of PyTorch', () => {
    expectLosses(losses, fixture.losses, 5e-6);
  });

  it('have the gradient norms of PyTorch, before clipping', () => {
    for (const [i, norm] of norms.entries()) {
      expect(Math.abs(norm / (fixture.norms[i] ?? Number.NaN) - 1), `norm of step ${i}`).toBeLessThan(2e-5);
    }
  });

  it('end with the parameters of PyTorch', () => {
    expectParameters(parameters, fixture.final, () => TOLERANCE);
  });
});
