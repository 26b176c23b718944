/**
 * What the rest of the house knows of data: a labelled set of grey-scale images kept as bytes, how those bytes become
 * the network's input, and batches of them.
 */

/** A labelled set of images, one byte a pixel, row by row, image after image. */
export interface Dataset {
  readonly name: string;
  /** `length * height * width` bytes. */
  readonly images: Uint8Array;
  /** `length` class indices. */
  readonly labels: Uint8Array;
  readonly length: number;
  readonly height: number;
  readonly width: number;
  readonly classNames: readonly string[];
  /** Names exactly this content: sha256 over images and labels, as hexadecimal digits. */
  readonly checksum: string;
}

/**
 * How bytes become the network's input. It runs inside the graph, in this order: resize (bilinear, as torchvision's
 * `Resize` does on a PIL image), divide by 255 (`ToTensor`), subtract `mean` and divide by `std` (`Normalize`).
 */
export interface ImageTransform {
  /** Height and width after resizing; absent: the images' own size. */
  readonly resize?: number;
  /** Default 0. */
  readonly mean?: number;
  /** Default 1. */
  readonly std?: number;
}

/** Some examples, still bytes. */
export interface Batch {
  /** `length * height * width` bytes. */
  readonly images: Uint8Array;
  /** `length` class indices. */
  readonly labels: Uint8Array;
  readonly length: number;
}
