/** State dicts: the names of a network's tensors, and loading that changes all of them or none. */

import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/graph/operators.js';
import { type Tensor, tensor } from '../../src/graph/tensor.js';
import { sizeOf } from '../../src/graph/tensorType.js';
import { initialise } from '../../src/nn/initialise.js';
import { batchNorm2d } from '../../src/nn/layers/batchNorm2d.js';
import { conv2d } from '../../src/nn/layers/conv2d.js';
import { linear } from '../../src/nn/layers/linear.js';
import { flatten, relu } from '../../src/nn/layers/pointwise.js';
import { sequential } from '../../src/nn/layers/sequential.js';
import {
  isInitialised,
  loadStateDict,
  parameterCount,
  parameterNames,
  type StateDict,
  stateDict,
  stateShapes,
} from '../../src/nn/stateDict.js';

const makeNet = () => sequential(sequential(conv2d(1, 2, 3), batchNorm2d(2), relu()), flatten(), linear(8, 3));

/** A tensor for every name of the network, each with numbers of its own. */
function someState(): StateDict {
  const shapes = [...stateShapes(makeNet())];
  return new Map(shapes.map(([name, shape], i) => [name, tensor(shape, new Float32Array(sizeOf(shape)).fill(i + 1))]));
}

describe('names', () => {
  it('are those of PyTorch: places, then weight, bias, running_mean, running_var', () => {
    expect([...stateShapes(makeNet())]).toEqual([
      ['0.0.weight', [2, 1, 3, 3]],
      ['0.0.bias', [2]],
      ['0.1.weight', [2]],
      ['0.1.bias', [2]],
      ['0.1.running_mean', [2]],
      ['0.1.running_var', [2]],
      ['2.weight', [3, 8]],
      ['2.bias', [3]],
    ]);
    expect([...stateShapes(linear(2, 1)).keys()]).toEqual(['weight', 'bias']);
  });

  it('of what is trained leave out the statistics', () => {
    expect(parameterNames(makeNet())).toEqual([
      '0.0.weight',
      '0.0.bias',
      '0.1.weight',
      '0.1.bias',
      '2.weight',
      '2.bias',
    ]);
    expect(parameterCount(makeNet())).toBe(18 + 2 + 2 + 2 + 24 + 3);
  });
});

describe('stateDict', () => {
  it('refuses a network without values and says what to do', () => {
    const net = makeNet();
    expect(isInitialised(net)).toBe(false);
    const message = '0.0.weight of Conv2d(1, 2, kernelSize=3) has no values yet: call initialise(net) or load weights.';
    expect(() => stateDict(net)).toThrow(new GraphError(message));
  });

  it('gives back what was loaded, uncopied and in order', () => {
    const net = makeNet();
    const state = someState();
    loadStateDict(net, state);
    expect(isInitialised(net)).toBe(true);
    expect([...stateDict(net)]).toEqual([...state]);
    expect(stateDict(net).get('2.bias')).toBe(state.get('2.bias'));
  });

  it('can be loaded in any order', () => {
    const net = makeNet();
    loadStateDict(net, new Map([...someState()].reverse()));
    expect([...stateDict(net)]).toEqual([...someState()]);
  });
});

describe('weights that do not fit', () => {
  it.each<[string, (state: Map<string, Tensor>) => unknown, string]>([
    [
      'lack a tensor',
      (state) => state.delete('2.bias'),
      'The weights have no tensor "2.bias", which the network needs.',
    ],
    [
      'lack a statistic',
      (state) => state.delete('0.1.running_var'),
      'The weights have no tensor "0.1.running_var", which the network needs.',
    ],
    [
      'have a tensor too many',
      (state) => state.set('3.weight', tensor([1])),
      'The weights have a tensor "3.weight", which the network lacks.',
    ],
    [
      'have a tensor of another shape',
      (state) => state.set('2.weight', tensor([8, 3])),
      'The tensor "2.weight" must have the shape 3x8 in this network, it has 8x3.',
    ],
  ])('because they %s are refused, and the network stays as it was', (_, damage, message) => {
    const net = makeNet();
    initialise(net, 'pytorch', 1);
    const before = new Map(stateDict(net));
    const state = someState();
    damage(state);
    expect(() => loadStateDict(net, state)).toThrow(new GraphError(message));
    for (const [name, value] of stateDict(net)) expect(value).toBe(before.get(name));
  });

  it('leave an empty network empty', () => {
    const net = makeNet();
    expect(() => loadStateDict(net, new Map())).toThrow(GraphError);
    expect(isInitialised(net)).toBe(false);
  });
});
