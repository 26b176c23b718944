/** How a batch is cut into micro-batches. */

import type { Layer } from '../nn/layer.js';
import { walk } from '../nn/stateDict.js';

/** Pixels of a micro-batch: 64 images of 96x96, or eleven of 224x224. More cost memory and win no speed. */
const PIXELS = 64 * 96 * 96;
/** From here on a larger micro-batch of small images wins no speed either. */
const MOST = 64;

/** Whether a network must see a batch as a whole: batch normalisation needs the statistics of all of it. */
export function needsWholeBatch(net: Layer): boolean {
  return [...walk(net)].some(({ layer }) => layer.type === 'BatchNorm2d');
}

/** How many images of this height and width go through a graph at once without costing much memory. */
export function imagesAtOnce([height, width]: readonly [height: number, width: number]): number {
  return Math.max(1, Math.min(MOST, Math.floor(PIXELS / (height * width))));
}

/**
 * Examples of a micro-batch on a CPU: as many as keep memory small, or down to half of that where less of the last
 * micro-batch is then padding.
 * @param imageSize height and width as the network sees them
 */
export function chooseMicroBatchSize(
  net: Layer,
  batchSize: number,
  imageSize: readonly [height: number, width: number],
): number {
  if (needsWholeBatch(net)) return batchSize;
  const most = Math.min(batchSize, imagesAtOnce(imageSize));
  const padded = (size: number) => Math.ceil(batchSize / size) * size;
  let best = most;
  for (let size = most; size >= most / 2; size--) if (padded(size) < padded(best)) best = size;
  return best;
}
