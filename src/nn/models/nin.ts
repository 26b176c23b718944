/**
 * Network in Network (Lin, Chen, Yan 2013, arXiv:1312.4400) as Dive into Deep Learning builds it: an AlexNet-shaped
 * network whose blocks follow each convolution with two 1x1 convolutions, and whose last block makes one channel per
 * class, averaged over the image. There is no fully connected layer.
 */

import type { Layer } from '../layer.js';
import { batchNorm2d } from '../layers/batchNorm2d.js';
import { conv2d } from '../layers/conv2d.js';
import { dropout, flatten, relu } from '../layers/pointwise.js';
import { adaptiveAvgPool2d, maxPool2d } from '../layers/pooling.js';
import { type Sequential, sequential } from '../layers/sequential.js';

export interface NinBlockOptions {
  /** Normalise after each convolution, which then needs no bias. Default false, as in the book. */
  readonly batchNorm?: boolean;
  /**
   * End with a ReLU. Default true, as in the book. For the last block that is a trap: a class whose channel is negative
   * for every image has logit 0 and gradient 0, and never comes back.
   */
  readonly finalRelu?: boolean;
}

export interface NinOptions {
  /** Normalise after each convolution but the last. Default false, as in the book. */
  readonly batchNorm?: boolean;
  /** A ReLU on the logits. Default true, as in the book. */
  readonly reluOnLogits?: boolean;
  /** Probability of the dropout before the last block. Default 0.5, as in the book. */
  readonly dropoutProbability?: number;
  /** Default 10. */
  readonly numClasses?: number;
}

/**
 * A NiN block: a convolution and two 1x1 convolutions, each followed by ReLU. The book's `nin_block`.
 * @param strides stride of the first convolution
 * @param padding padding of the first convolution
 */
export function ninBlock(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  strides: number,
  padding: number,
  { batchNorm = false, finalRelu = true }: NinBlockOptions = {},
): Sequential {
  const layers: Layer[] = [];
  const unit = (input: number, kernel: number, stride: number, pad: number, isLast: boolean) => {
    const bare = isLast && !finalRelu;
    const normalised = batchNorm && !bare;
    layers.push(conv2d(input, outChannels, kernel, { stride, padding: pad, bias: !normalised }));
    if (normalised) layers.push(batchNorm2d(outChannels));
    if (!bare) layers.push(relu());
  };
  unit(inChannels, kernelSize, strides, padding, false);
  unit(outChannels, 1, 1, 0, false);
  unit(outChannels, 1, 1, 0, true);
  return sequential(...layers);
}

/**
 * The book's NiN for grey-scale images (of 224x224 in the book): N x 1 x H x W to N x numClasses logits.
 * Without options it is exactly the book's network: 1,992,166 parameters.
 */
export function nin(options: NinOptions = {}): Sequential {
  const { batchNorm = false, reluOnLogits = true, dropoutProbability = 0.5, numClasses = 10 } = options;
  return sequential(
    ninBlock(1, 96, 11, 4, 0, { batchNorm }),
    maxPool2d(3, { stride: 2 }),
    ninBlock(96, 256, 5, 1, 2, { batchNorm }),
    maxPool2d(3, { stride: 2 }),
    ninBlock(256, 384, 3, 1, 1, { batchNorm }),
    maxPool2d(3, { stride: 2 }),
    dropout(dropoutProbability),
    ninBlock(384, numClasses, 3, 1, 1, { batchNorm, finalRelu: reluOnLogits }),
    adaptiveAvgPool2d([1, 1]),
    flatten(),
  );
}
