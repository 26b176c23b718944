/** The book's NiN: its shapes layer by layer, its names, its size and what it costs. */

import { describe, expect, it } from 'vitest';
import type { Shape } from '../../src/graph/tensorType.js';
import { nin, ninBlock } from '../../src/nn/models/nin.js';
import { parameterCount, parameterNames, stateShapes, walk } from '../../src/nn/stateDict.js';
import { summary } from '../../src/nn/summary.js';

/** The book prints these after "Let's create a data example to see the output shape of each block". */
const BOOK_SHAPES = [
  [1, 96, 54, 54],
  [1, 96, 26, 26],
  [1, 256, 26, 26],
  [1, 256, 12, 12],
  [1, 384, 12, 12],
  [1, 384, 5, 5],
  [1, 384, 5, 5],
  [1, 10, 5, 5],
  [1, 10, 1, 1],
  [1, 10],
];

/** Every convolution by hand: channels in and out, kernel, and the side of its output at 224x224. */
const CONVOLUTIONS = [
  [1, 96, 11, 54],
  [96, 96, 1, 54],
  [96, 96, 1, 54],
  [96, 256, 5, 26],
  [256, 256, 1, 26],
  [256, 256, 1, 26],
  [256, 384, 3, 12],
  [384, 384, 1, 12],
  [384, 384, 1, 12],
  [384, 10, 3, 5],
  [10, 10, 1, 5],
  [10, 10, 1, 5],
] as const;

describe('nin()', () => {
  it('has the output shapes of the book', () => {
    let shape: Shape = [1, 1, 224, 224];
    const shapes = [...nin()].map((layer) => {
      shape = layer.outputShape(shape);
      return shape;
    });
    expect(shapes).toEqual(BOOK_SHAPES);
    expect(nin().outputShape([7, 1, 224, 224])).toEqual([7, 10]);
  });

  it('names its parameters as PyTorch names those of the nn.Sequential of the book', () => {
    const names = [0, 2, 4, 7].flatMap((block) =>
      [0, 2, 4].flatMap((conv) => [`${block}.${conv}.weight`, `${block}.${conv}.bias`]),
    );
    expect(parameterNames(nin())).toEqual(names);
    expect([...stateShapes(nin()).values()]).toEqual(
      CONVOLUTIONS.flatMap(([input, output, kernel]) => [[output, input, kernel, kernel], [output]]),
    );
  });

  it('has 1,992,166 parameters', () => {
    const byHand = CONVOLUTIONS.reduce((sum, [input, output, kernel]) => sum + output * (input * kernel ** 2 + 1), 0);
    expect(byHand).toBe(1_992_166);
    expect(parameterCount(nin())).toBe(1_992_166);
    expect(summary(nin(), [1, 1, 224, 224]).parameters).toBe(1_992_166);
  });

  it('takes 762 million multiply-adds for an image, and as much again for each further one', () => {
    const byHand = CONVOLUTIONS.map(([input, output, kernel, side]) => side ** 2 * output * input * kernel ** 2);
    const total = byHand.reduce((sum, each) => sum + each, 0);
    expect(total).toBe(762_297_352);
    const { rows, multiplyAdds } = summary(nin(), [1, 1, 224, 224]);
    expect(multiplyAdds).toBe(total);
    expect(rows.map((row) => row.multiplyAdds).filter((each) => each > 0)).toEqual(byHand);
    expect(summary(nin(), [3, 1, 224, 224]).multiplyAdds).toBe(3 * total);
  });

  it('has a class for each that is asked for', () => {
    expect(nin({ numClasses: 3 }).outputShape([2, 1, 224, 224])).toEqual([2, 3]);
  });

  it('can normalise every convolution but the last, which then need no bias', () => {
    const net = nin({ batchNorm: true, reluOnLogits: false });
    const types = (name: string) => [...walk(net)].filter(({ layer }) => layer.type === name).map(({ path }) => path);
    expect(types('Conv2d')).toHaveLength(12);
    expect(types('BatchNorm2d')).toHaveLength(11);
    expect(types('ReLU')).toHaveLength(11);
    expect(parameterNames(net).filter((name) => stateShapes(net).get(name)?.length === 4)).toHaveLength(12);
    expect(`${[...net][7]}`).toBe(
      'Sequential(Conv2d(384, 10, kernelSize=3, padding=1), BatchNorm2d(10), ReLU(), Conv2d(10, 10, kernelSize=1), ' +
        'BatchNorm2d(10), ReLU(), Conv2d(10, 10, kernelSize=1))',
    );
    // The biases of 11 convolutions give way to weight and bias of as many normalisations.
    const normalised = 3 * (96 + 256 + 384) + 2 * 10;
    expect(parameterCount(net)).toBe(1_992_166 + normalised);
    expect(net.outputShape([2, 1, 96, 96])).toEqual([2, 10]);
  });

  it('keeps the ReLU on its logits with batch normalisation too, unless told otherwise', () => {
    const last = [...nin({ batchNorm: true })][7];
    expect(`${last}`.endsWith('BatchNorm2d(10), ReLU())')).toBe(true);
    expect(`${[...nin({ reluOnLogits: false })][7]}`.endsWith('ReLU(), Conv2d(10, 10, kernelSize=1))')).toBe(true);
  });
});

describe('ninBlock()', () => {
  it('is the book’s nin_block: a convolution and two of 1x1, each followed by ReLU', () => {
    expect(`${ninBlock(1, 96, 11, 4, 0)}`).toBe(
      'Sequential(Conv2d(1, 96, kernelSize=11, stride=4), ReLU(), Conv2d(96, 96, kernelSize=1), ReLU(), ' +
        'Conv2d(96, 96, kernelSize=1), ReLU())',
    );
  });
});

describe('summary()', () => {
  it('has a row for every layer, named by its place', () => {
    const { rows } = summary(nin(), [1, 1, 224, 224]);
    expect(rows).toHaveLength(4 * 6 + 3 + 1 + 2);
    expect(rows[0]).toEqual({
      layer: '0.0 Conv2d(1, 96, kernelSize=11, stride=4)',
      outputShape: [1, 96, 54, 54],
      parameters: 11_712,
      multiplyAdds: 33_872_256,
    });
    expect(rows.at(-2)?.layer).toBe('8 AdaptiveAvgPool2d((1, 1))');
    expect(rows.at(-1)).toEqual({ layer: '9 Flatten()', outputShape: [1, 10], parameters: 0, multiplyAdds: 0 });
  });
});
