/** The ten classes of Fashion-MNIST, by the names that Dive into Deep Learning gives them. Runs in a browser too. */

import { DataError } from './dataError.js';

/** Class names in the order of the labels. */
export const FASHION_MNIST_CLASSES = [
  't-shirt',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
] as const;

/**
 * The book's `get_fashion_mnist_labels`: text labels for class indices.
 * @throws DataError where an index is not one of 0 to 9
 */
export function getFashionMnistLabels(labels: Iterable<number>): string[] {
  return Array.from(labels, (label) => {
    const name = FASHION_MNIST_CLASSES[label];
    if (name === undefined) throw new DataError(`Label ${label} is no class of Fashion-MNIST; give 0 to 9.`);
    return name;
  });
}
