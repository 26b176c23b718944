/**
 * Speed beside the rivals, on one machine, in one run:
 *
 *     npm run bench                     a table, bench/results/<date>.json and the pictures of the README
 *     npm run bench -- --json           the same as JSON on standard output
 *     npm run bench -- --install        first installs the rivals: npm ci in bench/, and with apt-get PyTorch
 *
 * This project and PyTorch take turns, round by round, so a machine whose speed drifts is unfair to neither: a ratio is
 * taken within its round, and the median over the rounds is the figure to quote. The rivals written in JavaScript are
 * slower by orders of magnitude: they get a few examples, once, within a time limit. jax-js stands there twice, with its
 * own convolution and with one written by hand of patches and matrix products, which it is much faster at.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { barsSvg, growthSvg } from './charts.mjs';
import { measureCheckpoint } from './checkpoint.mjs';
import { here, install, isInstalled, measureNin, measureRival, measureStart } from './programs.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    limit: { type: 'string', default: '180' },
    python: { type: 'string', default: 'python3' },
    install: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const threads = availableParallelism();
/** Image size and batch size of the book, and those of small images; steps enough for some seconds. */
const WORKLOADS = [
  { resize: 224, batchSize: 128, steps: 2 },
  { resize: 96, batchSize: 64, steps: 12 },
];
/** Of images below 67 pixels the last pool leaves nothing. */
const IMAGE_SIZES = [68, 96, 128, 160, 192, 224];
const BATCH_SIZES = [8, 16, 32, 64, 128];
const STARTS = 3;

const say = (line) => (values.json ? process.stderr : process.stdout).write(`${line}\n`);
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const spread = (list) => `${Math.min(...list).toFixed(2)} to ${Math.max(...list).toFixed(2)}`;

if (values.install) install(say);
const has = isInstalled(values.python);
if (!has.pytorch) say(`PyTorch is absent (${values.python} has no torch; --install brings it).`);
if (!has.javascript) say('The rivals written in JavaScript are absent (npm ci --prefix bench, or --install).');

/** Rates of both programs in turn, and this project's over PyTorch's round by round. */
function versus({ resize, batchSize, steps }) {
  const result = { resize, batchSize, steps, nin: [], pytorch: { training: [], inference: [] } };
  for (let round = 0; round < rounds; round++) {
    const nin = measureNin({ resize, batchSize, steps, threads });
    result.nin.push(nin);
    let line = `${resize} x ${resize}, batch ${batchSize}, round ${round + 1}: nin ${nin.training.toFixed(1)} trained, ${nin.evaluation.toFixed(1)} inferred`;
    if (has.pytorch) {
      const options = { resize, batchSize, steps, threads };
      const training = measureRival('pytorch', options, values);
      const inference = measureRival('pytorch', { ...options, infer: true }, values);
      result.pytorch.training.push(training);
      result.pytorch.inference.push(inference);
      line += `; PyTorch ${training.examplesPerSecond.toFixed(1)}, ${inference.examplesPerSecond.toFixed(1)} examples/sec`;
    }
    say(line);
  }
  if (has.pytorch) {
    const over = (mine, theirs) => result.nin.map((nin, i) => nin[mine] / result.pytorch[theirs][i].examplesPerSecond);
    result.ratios = { training: over('training', 'training'), inference: over('evaluation', 'inference') };
  }
  return result;
}

/** The slow rivals at the book's size: batches and steps that each does within the time limit. */
function slowRivals() {
  const one = { batchSize: 1, steps: 1, warmUp: 0 };
  const few = { batchSize: 4, steps: 2, warmUp: 1 };
  const rivals = [
    { name: 'TensorFlow.js cpu', contestant: 'tfjs', backend: 'cpu', ...one },
    { name: 'TensorFlow.js wasm', contestant: 'tfjs', backend: 'wasm', ...few },
    { name: 'jax-js, lax.conv', contestant: 'jax', convolution: 'lax', ...one },
    { name: 'jax-js, by products', contestant: 'jax', convolution: 'matmul', ...few },
  ];
  return rivals.flatMap(({ name, contestant, ...options }) =>
    [false, true].map((infer) => {
      const measured = measureRival(contestant, { resize: 224, threads, infer, ...options }, values);
      const outcome = measured.examplesPerSecond?.toPrecision(2) ?? measured.unsupported ?? measured.timedOut;
      say(`${name}, ${infer ? 'inference' : 'training'} at 224 x 224: ${outcome}`);
      return { ...measured, name, mode: infer ? 'inference' : 'training' };
    }),
  );
}

/** How this project's training grows with the work. */
function growth() {
  const rate = (options) => {
    const { training, peakMemoryBytes } = measureNin({ steps: 3, threads, ...options });
    say(`growth: ${JSON.stringify(options)}: ${training.toFixed(1)} examples/sec`);
    return { ...options, training, peakMemoryBytes };
  };
  return {
    imageSize: IMAGE_SIZES.map((resize) => rate({ resize, batchSize: 32 })),
    batchSize: BATCH_SIZES.map((batchSize) => rate({ resize: 96, batchSize })),
    threads: Array.from({ length: threads }, (_, i) => rate({ resize: 96, batchSize: 64, threads: i + 1 })),
  };
}

async function starts() {
  const seconds = [];
  for (let i = 0; i < STARTS; i++) seconds.push(await measureStart());
  return seconds;
}

const result = {
  date: new Date().toISOString().slice(0, 10),
  machine: { cpu: cpus()[0]?.model.trim(), threads },
  versus: WORKLOADS.map(versus),
  slowRivals: has.javascript ? slowRivals() : [],
  secondsToFirstStep: await starts(),
  checkpoints: [await measureCheckpoint('d2l'), await measureCheckpoint('robust')],
  growth: growth(),
};
mkdirSync(here('results'), { recursive: true });
const save = (suffix, content) => writeFileSync(here(`results/${result.date}${suffix}`), content);
save('.json', `${JSON.stringify(result, null, 2)}\n`);
save('.svg', await barsSvg(result));
for (const [name, svg] of Object.entries(await growthSvg(result))) save(`-${name}.svg`, svg);

say('');
for (const { resize, batchSize, nin, pytorch, ratios } of result.versus) {
  const operations = nin.map(({ trainingOperations }) => trainingOperations);
  const share = nin.map((each) => each.trainingOperations / each.matmulOperations);
  say(`${resize} x ${resize}, batch ${batchSize}:`);
  say(`  training   nin ${median(nin.map((each) => each.training)).toFixed(1)} examples/sec`);
  say(`  inference  nin ${median(nin.map((each) => each.evaluation)).toFixed(1)} examples/sec`);
  say(
    `  the training step is ${(median(operations) / 1e9).toFixed(0)} GFLOP/s by plain algorithms, ` +
      `${(100 * median(share)).toFixed(0)}% of a large matrix product's rate`,
  );
  if (!ratios) continue;
  const gib = (bytes) => (bytes / 2 ** 30).toFixed(2);
  say(`  nin / PyTorch: training ${median(ratios.training).toFixed(2)} (${spread(ratios.training)})`);
  say(`                 inference ${median(ratios.inference).toFixed(2)} (${spread(ratios.inference)})`);
  say(
    `  peak memory of training: nin ${gib(median(nin.map((each) => each.peakMemoryBytes)))} GiB, ` +
      `PyTorch ${gib(median(pytorch.training.map((each) => each.peakMemoryBytes)))} GiB`,
  );
}
const book = result.versus[0]?.nin ?? [];
for (const { name, mode, examplesPerSecond, unsupported, timedOut } of result.slowRivals) {
  const ours = median(book.map((each) => (mode === 'training' ? each.training : each.evaluation)));
  if (examplesPerSecond) say(`${mode}: nin / ${name} at 224 x 224: ${(ours / examplesPerSecond).toFixed(0)}`);
  else say(`${mode}: ${name}: ${unsupported ?? timedOut}`);
}
say(`from the command to the first finished step at 96 x 96: ${median(result.secondsToFirstStep).toFixed(2)} s`);
const stepSeconds = (result.versus[0]?.batchSize ?? Number.NaN) / median(book.map((each) => each.training));
for (const { preset, bytes, milliseconds } of result.checkpoints) {
  const share = (milliseconds / stepSeconds / 10).toFixed(1);
  say(
    `a checkpoint of ${preset}: ${(bytes / 1e6).toFixed(1)} MB in ${milliseconds.toFixed(0)} ms, ${share}% of a step of the book's size`,
  );
}
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
