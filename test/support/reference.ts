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
