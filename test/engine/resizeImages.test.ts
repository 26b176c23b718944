/** Resizing inside the graph against Pillow, from which torchvision's Resize has its pixels. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as build from '../../src/graph/build.js';
import type { Value } from '../../src/graph/graph.js';
import { loadResizeCases } from '../support/reference.js';
import { runGraph } from '../support/runGraph.js';

const cases = loadResizeCases();
const sizes = [...new Set(cases.map(({ size }) => size))];

/** All images of one size, resized at once. */
async function resized(size: number) {
  const ofSize = cases.filter((c) => c.size === size);
  const images = Uint8Array.from(ofSize.flatMap(({ image }) => [...image]));
  const { y } = await runGraph({ images: { shape: [ofSize.length, 28, 28], data: images } }, (v) => ({
    y: build.resizeImages(v.images as Value, size, size),
  }));
  if (!y) throw new Error('The graph has no output.');
  expect(y.shape).toEqual([ofSize.length, 1, size, size]);
  return ofSize.map((c, i) => ({ ...c, actual: y.data.subarray(i * size * size, (i + 1) * size * size) }));
}

describe('resizeImages', () => {
  it('is tested at the sizes of Pillow’s images', () => {
    expect(sizes.sort((a, b) => b - a)).toEqual([224, 96, 65, 28, 14]);
  });

  // 28 is the images' own size.
  it.each([224, 96, 65, 28, 14])('equals Pillow in every bit at %s', async (size) => {
    for (const { name, actual, sha256 } of await resized(size)) {
      const bytes = Uint8Array.from(actual);
      expect(bytes.every((byte, i) => byte === actual[i]) && bytes.length === size * size, name).toBe(true);
      expect(createHash('sha256').update(bytes).digest('hex'), name).toBe(sha256);
    }
  });
});
