/**
 * What the contestants written in JavaScript share: the network, its random start, the input, the options and what they
 * print. All of it is that of pytorch/train_step.py, so that one reader understands every contestant.
 *
 * After one step that does not count (`--warm-up 0`: every step counts), prints one JSON line per step:
 * {"examplesPerSecond", "seconds"}. The last line is {"peakMemoryBytes", ..}: the largest resident memory of the process,
 * and what was run. A contestant whose engine cannot do what is asked prints {"unsupported"} instead: why, in a sentence.
 */

import { parseArgs } from 'node:util';

const block = (inputs, outputs, kernel, stride, padding) => [
  { kind: 'conv', inputs, outputs, kernel, stride, padding },
  { kind: 'conv', inputs: outputs, outputs, kernel: 1, stride: 1, padding: 0 },
  { kind: 'conv', inputs: outputs, outputs, kernel: 1, stride: 1, padding: 0 },
];
const pool = { kind: 'pool', size: 3, stride: 2 };

export const classes = 10;
export const learningRate = 0.1;

/** As in Dive into Deep Learning. A convolution includes its bias and ReLU; the average over each channel follows. */
export const layers = [
  ...block(1, 96, 11, 4, 0),
  pool,
  ...block(96, 256, 5, 1, 2),
  pool,
  ...block(256, 384, 3, 1, 1),
  pool,
  { kind: 'dropout', rate: 0.5 },
  ...block(384, classes, 3, 1, 1),
];

/** Numbers from 0 to 1, the same in every contestant, which makes their answers comparable. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A weight (output, input, height, width) and a bias per convolution, as far spread as PyTorch spreads them. */
export function randomStart() {
  const random = randomNumbers(1);
  return layers
    .filter(({ kind }) => kind === 'conv')
    .map(({ inputs, outputs, kernel }) => {
      const fanIn = inputs * kernel * kernel;
      const draw = () => (2 * random() - 1) / Math.sqrt(fanIn);
      return {
        shape: [outputs, inputs, kernel, kernel],
        weight: Float32Array.from({ length: outputs * fanIn }, draw),
        bias: Float32Array.from({ length: outputs }, draw),
      };
    });
}

/** Images of one channel, whose place among the axes therefore makes no difference to the numbers. */
function randomBatch({ batchSize, resize }) {
  const random = randomNumbers(2);
  return {
    images: Float32Array.from({ length: batchSize * resize * resize }, random),
    labels: Int32Array.from({ length: batchSize }, () => Math.floor(random() * classes)),
  };
}

function wholeNumber(name, text, least) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least)
    throw new Error(`--${name} must be a whole number from ${least} on.`);
  return number;
}

function readOptions(more) {
  const { values } = parseArgs({
    options: {
      resize: { type: 'string', default: '224' },
      'batch-size': { type: 'string', default: '128' },
      steps: { type: 'string', default: '2' },
      'warm-up': { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      infer: { type: 'boolean', default: false },
      ...more,
    },
  });
  const number = (name, least) => wholeNumber(name, values[name], least);
  return {
    ...values,
    // Of a smaller image the last pool leaves nothing.
    resize: number('resize', 67),
    batchSize: number('batch-size', 1),
    steps: number('steps', 1),
    warmUp: number('warm-up', 0),
    threads: number('threads', 1),
  };
}

const print = (value) => console.log(JSON.stringify(value));

/** What an engine says when it cannot do what is asked, as opposed to a mistake, which must not pass for that. */
export class Unsupported extends Error {}

/**
 * Measures a contestant. `prepare` gets the options and the batch and resolves to `step`, which does one step and
 * resolves when its results are there, and to `engine` and `threads`, what the step runs on.
 */
export async function contest(prepare, moreOptions = {}) {
  const options = readOptions(moreOptions);
  const { resize, batchSize, warmUp, steps, infer } = options;
  try {
    const { step, engine, threads } = await prepare(options, randomBatch(options));
    for (let i = 0; i < warmUp; i++) await step();
    for (let i = 0; i < steps; i++) {
      const start = performance.now();
      await step();
      const seconds = (performance.now() - start) / 1000;
      print({ examplesPerSecond: batchSize / seconds, seconds });
    }
    const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
    print({ peakMemoryBytes, ...engine, mode: infer ? 'infer' : 'train', resize, batchSize, threads });
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    print({ unsupported: error.message });
  }
}
