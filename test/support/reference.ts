/**
 * The reference: what PyTorch and Pillow compute, read from `test/fixtures/*.json`, and how to compare with it.
 *
 * The files are written by `test/fixtures/make_fixtures.py`, whose header describes their formats. Inputs and weights
 * that need not be stored are made here from the same hash. Expected values were computed in float64 and rounded to
 * float32; `float32Error` beside them is the error of PyTorch's own float32, the yardstick for a fair tolerance.
 */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** An array of numbers with its shape, row-major. */
export interface ReferenceTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A large tensor, of which only every `stride`-th element is known, and the norm and sum of all. */
export interface ReferenceSample {
  readonly shape: readonly number[];
  readonly stride: number;
  /** Elements 0, stride, 2 * stride, ... of the tensor. */
  readonly data: Float32Array;
  /** L2 norm of all elements. */
  readonly norm: number;
  /** Sum of all elements. */
  readonly sum: number;
  /** Norm-wise relative error of PyTorch's float32, the worst of several ways to run it. */
  readonly float32Error: number;
}

type TensorMap = Readonly<Record<string, ReferenceTensor>>;

// --- pseudo-random numbers: the twins of hash32, uniform and dropout_mask in make_fixtures.py ----------------------

/** murmur3's 32-bit finaliser of `seed * 0x9E3779B9 + index`, as an unsigned integer. */
function hash32(seed: number, index: number): number {
  let x = (Math.imul(seed, 0x9e3779b9) + index) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** `length` numbers in [-1, 1), each a function of (seed, index). */
export function hashUniform(seed: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => (hash32(seed, i) >>> 8) / 2 ** 23 - 1);
}

/** A dropout mask: 0 with probability `rate`, else 1 / (1 - rate). */
export function hashMask(seed: number, length: number, rate = 0.5): Float32Array {
  const kept = 1 / (1 - rate);
  return Float32Array.from({ length }, (_, i) => (hash32(seed, i) >>> 8 >= rate * 2 ** 24 ? kept : 0));
}

// --- decoding ------------------------------------------------------------------------------------------------------

type JsonTensor =
  | { readonly shape: number[]; readonly base64: string }
  | { readonly shape: number[]; readonly seed: number; readonly scale: number; readonly offset: number }
  | { readonly shape: number[]; readonly seeds: readonly number[]; readonly scale: number }
  | { readonly shape: number[]; readonly seed: number; readonly rate: number };

interface JsonSample {
  readonly shape: number[];
  readonly stride: number;
  readonly base64: string;
  readonly norm: number;
  readonly sum: number;
  readonly float32Error: number;
}

type JsonTensorMap = Readonly<Record<string, JsonTensor>>;

/** Reads a fixture; its type is what make_fixtures.py promises to write. */
function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as T;
}

function decodeFloat32(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

function decodeBytes(base64: string): Uint8Array {
  return new Uint8Array(gunzipSync(Buffer.from(base64, 'base64')));
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function decodeTensor(json: JsonTensor): ReferenceTensor {
  const { shape } = json;
  const length = sizeOf(shape);
  if ('base64' in json) {
    const data = decodeFloat32(json.base64);
    if (data.length !== length) throw new Error(`A fixture has ${data.length} values for the shape [${shape}].`);
    return { shape, data };
  }
  if ('rate' in json) return { shape, data: hashMask(json.seed, length, json.rate) };
  if ('seeds' in json) {
    const data = new Float32Array(length);
    const rowLength = length / json.seeds.length;
    json.seeds.forEach((seed, row) => {
      data.set(
        hashUniform(seed, rowLength).map((value) => json.scale * value),
        row * rowLength,
      );
    });
    return { shape, data };
  }
  return { shape, data: hashUniform(json.seed, length).map((value) => json.offset + json.scale * value) };
}

function decodeSample({ base64, ...rest }: JsonSample): ReferenceSample {
  return { ...rest, data: decodeFloat32(base64) };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, convert: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, convert(value)]));
}

// --- operators.json ------------------------------------------------------------------------------------------------

interface OperatorAttributes {
  readonly conv2d: { readonly kernel: number; readonly stride: number; readonly padding: number };
  readonly relu: Readonly<Record<string, never>>;
  readonly maxPool2d: { readonly kernel: number; readonly stride: number; readonly padding: number };
  readonly globalAvgPool2d: Readonly<Record<string, never>>;
  readonly adaptiveAvgPool2d: { readonly outputSize: readonly [number, number] };
  readonly linear: Readonly<Record<string, never>>;
  readonly batchNorm2d: { readonly training: boolean; readonly momentum: number; readonly epsilon: number };
  readonly dropout: { readonly rate: number };
  /** The loss is the mean of the losses of the examples, or their sum weighted by the input `weights`. */
  readonly softmaxCrossEntropy: { readonly labels: readonly number[]; readonly reduction: 'mean' | 'weighted' };
  readonly flatten: Readonly<Record<string, never>>;
}

export type OperatorName = keyof OperatorAttributes;

/**
 * One operator, run once. Inputs and outputs by operator (all images are NCHW):
 * - conv2d, linear: `x`, `weight` and, in most cases, `bias` -> `y`
 * - relu, maxPool2d, globalAvgPool2d (to [n, c, 1, 1]), adaptiveAvgPool2d, flatten: `x` -> `y`
 * - batchNorm2d: `x`, `weight`, `bias`, `runningMean`, `runningVar` -> `y` and the new `runningMean`, `runningVar`
 * - dropout: `x`, `mask` -> `y`
 * - softmaxCrossEntropy: `logits`, `weights` if weighted -> `loss` of shape [], `losses` by example, `probabilities`
 */
export interface OperatorCase<Op extends OperatorName = OperatorName> {
  readonly name: string;
  readonly op: Op;
  readonly attrs: OperatorAttributes[Op];
  readonly inputs: TensorMap;
  /** The gradients are those of sum(y * outputGradient). Absent for softmaxCrossEntropy: those of `loss`. */
  readonly outputGradient?: ReferenceTensor;
  readonly outputs: TensorMap;
  /** Gradients of the inputs of the same name. */
  readonly gradients: TensorMap;
}

interface JsonOperatorCase {
  readonly name: string;
  readonly op: OperatorName;
  readonly attrs: OperatorAttributes[OperatorName];
  readonly inputs: JsonTensorMap;
  readonly outputGradient?: JsonTensor;
  readonly outputs: JsonTensorMap;
  readonly gradients: JsonTensorMap;
}

interface OperatorsFile {
  readonly hash: readonly { readonly seed: number; readonly values: readonly number[] }[];
  readonly masks: readonly { readonly seed: number; readonly rate: number; readonly values: readonly number[] }[];
  readonly cases: readonly JsonOperatorCase[];
}

/** All cases of one operator. */
export function loadOperatorCases<Op extends OperatorName>(op: Op): OperatorCase<Op>[] {
  const { cases } = readFixture<OperatorsFile>('operators.json');
  return cases
    .filter((json) => json.op === op)
    .map((json) => ({
      name: json.name,
      op,
      attrs: json.attrs as OperatorAttributes[Op],
      inputs: mapValues(json.inputs, decodeTensor),
      ...(json.outputGradient && { outputGradient: decodeTensor(json.outputGradient) }),
      outputs: mapValues(json.outputs, decodeTensor),
      gradients: mapValues(json.gradients, decodeTensor),
    }));
}

/** What numpy gave for the hash, to check `hashUniform` and `hashMask` with. */
export function loadHashValues(): Pick<OperatorsFile, 'hash' | 'masks'> {
  const { hash, masks } = readFixture<OperatorsFile>('operators.json');
  return { hash, masks };
}

// --- nin-step.json -------------------------------------------------------------------------------------------------

/** Network in Network as in the book; `channels` are those of its first three blocks, the fourth has 10. */
export interface NinShape {
  readonly channels: readonly [number, number, number];
  /** Size that the 28x28 images are resized to. */
  readonly resize: number;
}

/** One training step of the book's NiN. */
export interface NinStep {
  readonly network: NinShape;
  /** 28x28 bytes an image. */
  readonly images: Uint8Array;
  readonly labels: readonly number[];
  readonly parameters: TensorMap;
  /** Dropout's mask, 0 or 2. */
  readonly mask: ReferenceTensor;
  readonly logits: ReferenceTensor;
  /** Mean cross entropy. */
  readonly loss: number;
  readonly gradients: Readonly<Record<string, ReferenceSample>>;
}

type JsonNinStep = Pick<NinStep, 'network' | 'labels' | 'loss'> & {
  readonly images: string;
  readonly parameters: JsonTensorMap;
  readonly mask: JsonTensor;
  readonly logits: JsonTensor;
  readonly gradients: Readonly<Record<string, JsonSample>>;
};

export function loadNinStep(): NinStep {
  const json = readFixture<JsonNinStep>('nin-step.json');
  return {
    network: json.network,
    labels: json.labels,
    loss: json.loss,
    images: decodeBytes(json.images),
    parameters: mapValues(json.parameters, decodeTensor),
    mask: decodeTensor(json.mask),
    logits: decodeTensor(json.logits),
    gradients: mapValues(json.gradients, decodeSample),
  };
}

// --- *-training.json -----------------------------------------------------------------------------------------------

/** Stochastic gradient descent as torch.optim.SGD does it, after torch.nn.utils.clip_grad_norm_. */
export interface ReferenceOptimizer {
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Limit of the norm of all gradients together, or null. */
  readonly clipNorm: number | null;
}

/** Some steps of training, on batches of `batchSize` images in the order of the images. */
export interface ReferenceTraining {
  readonly batchSize: number;
  /** 28x28 bytes an image. */
  readonly images: Uint8Array;
  readonly labels: readonly number[];
  /** The parameters before the first step. */
  readonly parameters: TensorMap;
  readonly optimizer: ReferenceOptimizer;
  /** The losses of the steps, in float64. */
  readonly losses: readonly number[];
  /** The losses of the same steps in PyTorch's float32. */
  readonly losses32: readonly number[];
  /** The norms of all gradients together, before clipping. */
  readonly norms: readonly number[];
  /** The parameters after the last step; those of up to 4096 elements are complete, with stride 1. */
  readonly final: Readonly<Record<string, ReferenceSample>>;
}

/** Training of Network in Network. */
export interface NinTraining extends ReferenceTraining {
  readonly network: NinShape;
  /** Dropout's mask of each step. */
  readonly masks: readonly ReferenceTensor[];
}

/**
 * Training of a network with batch normalisation, on images of 28x28, as PyTorch's nn.Sequential: conv 3x3 padding 1
 * (1 -> 6), batch norm, ReLU, max pool 3x3/2, conv 1x1 (6 -> 10), batch norm, ReLU, global average pool, flatten.
 * The gradients of both convolutions' biases are zero but for rounding: batch norm subtracts them again. So `0.bias`
 * and `4.bias` stay where they started, to about 1e-4 relative in float32; everything else agrees much closer.
 */
export interface BatchNormTraining extends ReferenceTraining {
  /** Running statistics before the first step, `1.running_mean` and so on. */
  readonly buffers: TensorMap;
  readonly finalBuffers: TensorMap;
  /** Logits of the last batch after the last step, with the running statistics. */
  readonly evaluationLogits: ReferenceTensor;
}

type JsonTraining = Omit<ReferenceTraining, 'images' | 'parameters' | 'final' | 'batchSize'> & {
  readonly images: string;
  readonly parameters: JsonTensorMap;
  readonly final: Readonly<Record<string, JsonSample>>;
};

function decodeTraining(json: JsonTraining): ReferenceTraining {
  return {
    batchSize: json.labels.length / json.losses.length,
    images: decodeBytes(json.images),
    labels: json.labels,
    parameters: mapValues(json.parameters, decodeTensor),
    optimizer: json.optimizer,
    losses: json.losses,
    losses32: json.losses32,
    norms: json.norms,
    final: mapValues(json.final, decodeSample),
  };
}

type JsonNinTraining = JsonTraining & { readonly network: NinShape; readonly masks: readonly JsonTensor[] };

function loadTraining(name: string): NinTraining {
  const json = readFixture<JsonNinTraining>(name);
  return { ...decodeTraining(json), network: json.network, masks: json.masks.map(decodeTensor) };
}

/**
 * 20 steps of the book's NiN with plain SGD, and `untrained`, the losses of the same batches without any update: what
 * training does to the loss, a test should see much more sharply than that.
 */
export function loadNinTraining(): NinTraining & { readonly untrained: readonly number[] } {
  const { untrained } = readFixture<{ readonly untrained: readonly number[] }>('nin-training.json');
  return { ...loadTraining('nin-training.json'), untrained };
}

/** 10 steps of a small NiN with momentum, Nesterov, weight decay and, in some steps, clipped gradients. */
export function loadTinyTraining(): NinTraining {
  return loadTraining('tiny-training.json');
}

/** 10 steps of a small network with batch normalisation. */
export function loadBatchNormTraining(): BatchNormTraining {
  const json = readFixture<
    JsonTraining & {
      readonly buffers: JsonTensorMap;
      readonly finalBuffers: JsonTensorMap;
      readonly evaluationLogits: JsonTensor;
    }
  >('batchnorm-training.json');
  return {
    ...decodeTraining(json),
    buffers: mapValues(json.buffers, decodeTensor),
    finalBuffers: mapValues(json.finalBuffers, decodeTensor),
    evaluationLogits: decodeTensor(json.evaluationLogits),
  };
}

// --- resize.json ---------------------------------------------------------------------------------------------------

/** A 28x28 image and what Pillow makes of it. */
export interface ResizeCase {
  readonly name: string;
  /** The image, 28x28 bytes. */
  readonly image: Uint8Array;
  /** The result has size x size bytes. */
  readonly size: number;
  /** SHA-256 of the result, hexadecimal. */
  readonly sha256: string;
  /** The result itself, where it is stored. */
  readonly result?: Uint8Array;
}

/** All images resized by PIL.Image.resize(.., BILINEAR), as torchvision's Resize does. */
export function loadResizeCases(): ResizeCase[] {
  const json = readFixture<{
    readonly names: readonly string[];
    readonly images: string;
    readonly sizes: readonly {
      readonly size: number;
      readonly stored: readonly number[];
      readonly sha256: readonly string[];
      readonly bytes: string;
    }[];
  }>('resize.json');
  const images = decodeBytes(json.images);
  return json.sizes.flatMap(({ size, stored, sha256, bytes }) => {
    const results = decodeBytes(bytes);
    return json.names.map((name, i) => {
      const position = stored.indexOf(i);
      return {
        name,
        image: images.subarray(784 * i, 784 * (i + 1)),
        size,
        sha256: sha256[i] as string,
        ...(position >= 0 && { result: results.subarray(size * size * position, size * size * (position + 1)) }),
      };
    });
  });
}

/**
 * Resizes a square image as Pillow does for BILINEAR, in its own whole-number arithmetic: the horizontal pass first,
 * weights of 22 fractional bits, each pass rounded half up to a byte. (Pillow's Resample.c.)
 */
export function resizeReference(image: Uint8Array, from: number, to: number): Uint8Array {
  const ratio = from / to;
  const support = Math.max(ratio, 1);
  const taps = Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * ratio;
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), from);
    const weights = Array.from({ length: end - first }, (_, j) =>
      Math.max(1 - Math.abs((j + first - centre + 0.5) / support), 0),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => Math.floor(0.5 + (weight / total) * 2 ** 22)) };
  });
  /** Resizes the rows and transposes, so twice the same pass resizes both axes. */
  function pass(source: Uint8Array, rows: number): Uint8Array {
    const result = new Uint8Array(rows * to);
    for (let row = 0; row < rows; row++) {
      for (const [i, { first, weights }] of taps.entries()) {
        let sum = 2 ** 21;
        for (const [j, weight] of weights.entries()) sum += (source[row * from + first + j] as number) * weight;
        result[i * rows + row] = Math.min(Math.max(Math.floor(sum / 2 ** 22), 0), 255);
      }
    }
    return result;
  }
  return pass(pass(image, from), to);
}

/** Images of 28x28 bytes as a network's input: resized, and divided by 255 in float32; shape [n, 1, size, size]. */
export function asInput(images: Uint8Array, size: number): ReferenceTensor {
  const count = images.length / 784;
  const data = new Float32Array(count * size * size);
  for (let i = 0; i < count; i++) {
    const resized = resizeReference(images.subarray(784 * i, 784 * (i + 1)), 28, size);
    data.set(
      Float32Array.from(resized, (byte) => byte / 255),
      i * size * size,
    );
  }
  return { shape: [count, 1, size, size], data };
}

// --- comparing -----------------------------------------------------------------------------------------------------

function requireSameLength(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (actual.length !== expected.length) {
    throw new Error(`There are ${actual.length} values where the reference has ${expected.length}.`);
  }
}

/** Keeps a comparison with a tensor of zeros finite: an absolute error below 1e-30 counts as none. */
const TINY = 1e-30;

/** The norm-wise relative error, ||actual - expected|| / ||expected||. NaN if any value is NaN. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  requireSameLength(actual, expected);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] as number;
    difference += ((actual[i] as number) - e) ** 2;
    norm += e ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), TINY);
}

/** The largest difference, relative to the largest magnitude of `expected`. NaN if any value is NaN. */
export function maximumError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  requireSameLength(actual, expected);
  let difference = 0;
  let magnitude = TINY;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] as number;
    difference = Math.max(difference, Math.abs((actual[i] as number) - e));
    magnitude = Math.max(magnitude, Math.abs(e));
  }
  return difference / magnitude;
}

/** How far a tensor is from a sample of the expected one; each number is relative and comparable to `relativeError`. */
export interface SampleErrors {
  /** Norm-wise error of the elements that are known. */
  readonly elements: number;
  readonly norm: number;
  /** Error of the sum, relative to norm * sqrt(size), which is the most that the sum can be. */
  readonly sum: number;
}

/** Compares a whole tensor with the sample of the expected one. */
export function sampleErrors(actual: ArrayLike<number>, expected: ReferenceSample): SampleErrors {
  const size = sizeOf(expected.shape);
  if (actual.length !== size) {
    throw new Error(`There are ${actual.length} values where the reference has ${size}.`);
  }
  const elements = Float32Array.from(expected.data, (_, i) => actual[i * expected.stride] as number);
  let squares = 0;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const value = actual[i] as number;
    squares += value ** 2;
    sum += value;
  }
  const norm = Math.max(expected.norm, TINY);
  return {
    elements: relativeError(elements, expected.data),
    norm: Math.abs(Math.sqrt(squares) - expected.norm) / norm,
    sum: Math.abs(sum - expected.sum) / (norm * Math.sqrt(size)),
  };
}
