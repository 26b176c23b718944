/**
 * Convolution and both its gradients by Winograd's minimal filtering (Lavin and Gray 2015, arXiv:1509.09308): 4x4
 * outputs of a 5x5 filter take 8x8 multiplications a pair of channels instead of 400, a 3x3 filter's 36 instead of 144.
 *
 * A tile of inputs goes to n x n values (one at each pair of points, toomCook.ts), in a product with a fixed matrix for
 * each direction. The sums over channels are then n * n matrix products over all tiles of all images. Another pair of
 * fixed products goes to the outputs. The gradients are the same road backwards: with tiles V, filters U and products
 * M = V U^T, the gradient for the input is that of V, dM U, and the gradient for the filters that of U, dM^T V, each
 * sent through the transposed fixed matrices. V, U and dM are each needed twice and computed once.
 *
 * Everything lies places first: H x W x N x C. Zeros around the images are in the fixed matrices.
 */

import type { OnnxBuilder } from '../onnxBuilder.js';
import { type Matrix, MOST_POINTS, type ToomCook, toomCook, transpose } from './toomCook.js';

/** Outputs of a tile's side that are considered. */
const TILES = [4, 2] as const;
/** Share of the direct multiplications above which tiles are not worth their way there and back. */
const MOST_SHARE = 0.5;
/** With fewer channels at either side the fixed products weigh more than what they save. */
const LEAST_CHANNELS = 32;

/** A convolution with stride 1. */
export interface Convolution {
  readonly images: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly padding: number;
  readonly inputSize: readonly [height: number, width: number];
  readonly outputSize: readonly [height: number, width: number];
}

/** Outputs of a tile's side for which a convolution takes the fewest multiplications; undefined: tiles do not pay. */
function chooseTile({ kernel, outputSize: [height, width] }: Convolution): number | undefined {
  const share = (tile: number) =>
    (Math.ceil(height / tile) * Math.ceil(width / tile) * (tile + kernel - 1) ** 2) / (height * width * kernel ** 2);
  const [best] = TILES.filter((tile) => tile + kernel - 1 <= MOST_POINTS).sort((a, b) => share(a) - share(b));
  return best !== undefined && share(best) <= MOST_SHARE ? best : undefined;
}

/** The tiles for a convolution, or undefined where the direct way is better. */
export function winogradFor(onnx: OnnxBuilder, convolution: Convolution): Winograd | undefined {
  const { kernel, inChannels, outChannels } = convolution;
  // A graphics card bounds the size of a buffer, and the products of a large batch go beyond.
  if (onnx.device !== 'cpu' || kernel < 3 || Math.min(inChannels, outChannels) < LEAST_CHANNELS) return undefined;
  const tile = chooseTile(convolution);
  return tile === undefined ? undefined : new Winograd(onnx, convolution, tile);
}

/** A filter's way, or a tile's, in both directions at once: rows go over points across and, inside, down. */
function both(matrix: Matrix): number[][] {
  return matrix.flatMap((across) => matrix.map((down) => down.flatMap((x) => across.map((y) => x * y))));
}

class Winograd {
  readonly #matrices: ToomCook;
  /** Points, and outputs, of a tile's side. */
  readonly #n: number;
  readonly #m: number;
  /** Tiles down and across. */
  readonly #down: number;
  readonly #across: number;
  readonly #tiles: number;

  constructor(
    private readonly onnx: OnnxBuilder,
    private readonly convolution: Convolution,
    tile: number,
  ) {
    const [height, width] = convolution.outputSize;
    this.#matrices = toomCook(tile, convolution.kernel);
    this.#m = tile;
    this.#n = tile + convolution.kernel - 1;
    this.#down = Math.ceil(height / tile);
    this.#across = Math.ceil(width / tile);
    this.#tiles = this.#down * this.#across * convolution.images;
  }

  /**
   * @param x H x W x N x C
   * @param weight as the graph has it, outChannels x C x kernel x kernel
   * @returns H' x W' x N x outChannels, without a bias
   */
  forward(x: string, weight: string): string {
    const { onnx } = this;
    const filters = onnx.op('Transpose', [this.#filters(weight)], { perm: [0, 2, 1] });
    return this.#outputs(onnx.op('MatMul', [this.#inputTiles(x), filters]));
  }

  /** Gradient for the input, H x W x N x C, from that for the output, H' x W' x N x outChannels. */
  inputGrad(dy: string, weight: string): string {
    const { onnx } = this;
    const { images, inChannels, inputSize } = this.convolution;
    const [height, width] = inputSize;
    const run = this.#across * images * inChannels;
    const tiles = onnx.op('MatMul', [this.#outputTiles(dy), this.#filters(weight)]);
    const columns = onnx.reshape(tiles, [this.#n, this.#n * this.#down, run]);
    const rows = onnx.op('MatMul', [this.#matrix(transpose(this.#spread(height, this.#down))), columns]);
    const swapped = onnx.op('Transpose', [rows], { perm: [1, 0, 2] });
    const lines = onnx.reshape(swapped, [height, this.#n * this.#across, images * inChannels]);
    const dx = onnx.op('MatMul', [this.#matrix(transpose(this.#spread(width, this.#across))), lines]);
    return onnx.reshape(dx, [height, width, images, inChannels]);
  }

  /** Gradient for the weight, as the graph has it. */
  weightGrad(x: string, dy: string): string {
    const { onnx } = this;
    const { inChannels, outChannels, kernel } = this.convolution;
    const turned = onnx.op('Transpose', [this.#outputTiles(dy)], { perm: [0, 2, 1] });
    const products = onnx.op('MatMul', [turned, this.#inputTiles(x)]);
    const flat = onnx.reshape(products, [this.#n ** 2, outChannels * inChannels]);
    const taps = onnx.op('MatMul', [this.#matrix(transpose(both(this.#matrices.filter))), flat]);
    return onnx.transpose(taps, kernel ** 2, outChannels * inChannels, [outChannels, inChannels, kernel, kernel]);
  }

  /** U: (n * n) x outChannels x C. */
  #filters(weight: string): string {
    const { onnx } = this;
    const { inChannels, outChannels, kernel } = this.convolution;
    const pairs = outChannels * inChannels;
    const taps = onnx.transpose(weight, pairs, kernel ** 2, [kernel ** 2, pairs]);
    const filters = onnx.op('MatMul', [this.#matrix(both(this.#matrices.filter)), taps]);
    return onnx.reshape(filters, [this.#n ** 2, outChannels, inChannels]);
  }

  /** V: (n * n) x tiles x C. The points' axes come first; the one of columns is the outer one. */
  #inputTiles(x: string): string {
    const { onnx } = this;
    const { images, inChannels, inputSize } = this.convolution;
    const [height, width] = inputSize;
    const lines = onnx.reshape(x, [height, width, images * inChannels]);
    const columns = onnx.op('MatMul', [this.#matrix(this.#spread(width, this.#across)), lines]);
    const run = this.#across * images * inChannels;
    const swapped = onnx.op('Transpose', [onnx.reshape(columns, [height, this.#n, run])], { perm: [1, 0, 2] });
    const tiles = onnx.op('MatMul', [this.#matrix(this.#spread(height, this.#down)), swapped]);
    return onnx.reshape(tiles, [this.#n ** 2, this.#tiles, inChannels]);
  }

  /** From products, (n * n) x tiles x outChannels, to outputs. */
  #outputs(products: string): string {
    const { onnx } = this;
    const { images, outChannels, outputSize } = this.convolution;
    const [height, width] = outputSize;
    const matrix = this.#matrix(this.#matrices.output);
    const all = this.#tiles * outChannels;
    const rows = onnx.op('MatMul', [matrix, onnx.reshape(products, [this.#n, this.#n, all])]);
    const tiles = onnx.op('MatMul', [matrix, onnx.reshape(rows, [this.#n, this.#m * all])]);
    const run = images * outChannels;
    const axes = onnx.reshape(tiles, [this.#m, this.#m, this.#down, this.#across, run]);
    const swapped = onnx.op('Transpose', [axes], { perm: [2, 1, 3, 0, 4] });
    const [coveredHeight, coveredWidth] = [this.#m * this.#down, this.#m * this.#across];
    const covered = onnx.reshape(swapped, [coveredHeight, coveredWidth, images, outChannels]);
    if (coveredHeight === height && coveredWidth === width) return covered;
    return onnx.slice(covered, [0, 1], [0, 0], [height, width]);
  }

  /** dM: the way of `#outputs` backwards, from gradients of outputs to those of products. */
  #outputTiles(dy: string): string {
    const { onnx } = this;
    const { images, outChannels, outputSize } = this.convolution;
    const [height, width] = outputSize;
    const [restDown, restAcross] = [this.#m * this.#down - height, this.#m * this.#across - width];
    const pads = [0, 0, 0, 0, restDown, restAcross, 0, 0];
    const covered = restDown + restAcross === 0 ? dy : onnx.op('Pad', [dy, onnx.int64(pads)]);
    const run = images * outChannels;
    const axes = onnx.reshape(covered, [this.#down, this.#m, this.#across, this.#m, run]);
    const tiles = onnx.op('Transpose', [axes], { perm: [3, 1, 0, 2, 4] });
    const matrix = this.#matrix(transpose(this.#matrices.output));
    const all = this.#tiles * outChannels;
    const rows = onnx.op('MatMul', [matrix, onnx.reshape(tiles, [this.#m, this.#m * all])]);
    const products = onnx.op('MatMul', [matrix, onnx.reshape(rows, [this.#n, this.#m, all])]);
    return onnx.reshape(products, [this.#n ** 2, this.#tiles, outChannels]);
  }

  /** From one line of inputs to the values of its tiles at the points, points first: (n * tiles) x length. */
  #spread(length: number, tiles: number): number[][] {
    const { padding } = this.convolution;
    return this.#matrices.input.flatMap((values) =>
      Array.from({ length: tiles }, (_, tile) =>
        Array.from({ length }, (_, place) => values[place - (tile * this.#m - padding)] ?? 0),
      ),
    );
  }

  #matrix(matrix: Matrix): string {
    return this.onnx.float(Float32Array.from(matrix.flat()), [matrix.length, matrix[0]?.length ?? 0]);
  }
}
