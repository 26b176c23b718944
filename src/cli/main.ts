#!/usr/bin/env node
/** The `nin` command. */

import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Command, CommanderError, Option } from 'commander';
import { summary } from '../nn/summary.js';
import { why } from '../run/runError.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../training/presets.js';
import { modelTable } from '../views/modelTable.js';
import { type BenchOptions, bench } from './bench.js';
import { type EvaluateOptions, evaluate } from './evaluate.js';
import { EXIT } from './exitCodes.js';
import { describeFailure } from './failure.js';
import { resume, UsageError } from './resume.js';
import { runs } from './runs.js';
import { type SweepOptions, sweep } from './sweep.js';
import { type TrainOptions, train } from './train.js';
import { notNegative, path, positiveNumber, seeds, wholeNumber } from './values.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

const threads = () =>
  new Option('--threads <n>', `CPU threads (default: ${availableParallelism()}, all of this machine)`).argParser(
    wholeNumber(1, 1024),
  );
const dataDir = () =>
  new Option(
    '--data-dir <folder>',
    'folder with the four Fashion-MNIST files (default: the copy in this package)',
  ).argParser(path);
const testExamples = () =>
  new Option('--test-examples <n>', 'use the first n test examples; 0 skips evaluation').argParser(
    wholeNumber(0, 10_000),
  );
const json = () =>
  new Option('--json', 'print one JSON line on standard output, all else on standard error').default(false);

const program = new Command('nin')
  .description('Trains Network in Network on Fashion-MNIST, as Dive into Deep Learning teaches it.')
  .version(version)
  .showHelpAfterError('(run with --help for the options)')
  .exitOverride();

const presets = PRESET_NAMES.map((name) => `  ${name.padEnd(6)} ${PRESETS[name].description}`).join('\n');

/** The options that train and sweep share. */
function addTrainingOptions(command: Command): Command {
  return command
    .addOption(new Option('--resize <pixels>', 'height and width of the images').argParser(wholeNumber(1, 1024)))
    .addOption(new Option('--batch-size <n>', 'examples in a batch').argParser(wholeNumber(1, 60_000)))
    .addOption(new Option('--epochs <n>', 'epochs, possibly fractional').argParser(positiveNumber(10_000)))
    .addOption(new Option('--max-steps <n>', 'stop after this many batches').argParser(wholeNumber(1, 1_000_000_000)))
    .addOption(new Option('--lr <rate>', 'peak learning rate').argParser(positiveNumber(1_000_000)))
    .addOption(new Option('--device <name>', 'where to compute').choices(['auto', 'cpu', 'webgpu']).default('auto'))
    .addOption(threads())
    .addOption(dataDir())
    .addOption(
      new Option('--train-examples <n>', 'use the first n training examples').argParser(wholeNumber(1, 60_000)),
    )
    .addOption(testExamples())
    .addOption(
      new Option('--checkpoint-minutes <n>', 'longest time between two checkpoints (default: 5)').argParser(
        notNegative(1_000_000),
      ),
    );
}

/** The options that were on the command line. */
const givenOptions = (command: Command) =>
  Object.fromEntries(Object.entries(command.opts()).filter(([name]) => command.getOptionValueSource(name) === 'cli'));

addTrainingOptions(
  program
    .command('train')
    .description('Train, watch, and save the run.')
    .addOption(
      new Option('--preset <name>', 'recipe')
        .choices(['auto', ...PRESET_NAMES])
        .default('auto', 'auto: d2l on a GPU, else quick'),
    )
    .addOption(
      new Option('--seed <n>', 'names the initial weights, the order of the examples and the dropout')
        .argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER))
        .default(0),
    ),
)
  .addOption(new Option('--out <folder>', 'where to save the run (default: a new folder in runs/)').argParser(path))
  .addOption(new Option('--resume <run>', 'go on with the run in this folder, to the same end').argParser(path))
  .addOption(json())
  .addHelpText(
    'after',
    `
Presets (options given beside a preset replace its own):
${presets}

Examples:
  nin train                                     the recipe that suits this machine
  nin train --preset d2l --max-steps 20         the first twenty steps of the book's recipe
  nin train --epochs 3 --seed 1 --out runs/three
  nin train --resume runs/three                 go on with an interrupted run
  nin train --json > result.json                figures for a program`,
  )
  .action(async (options: TrainOptions, command: Command) => {
    const { stdout, stderr } = process;
    process.exitCode =
      options.resume === undefined
        ? await train(options, stdout, stderr)
        : await resume(options.resume, givenOptions(command), stdout, stderr);
  });

addTrainingOptions(
  program
    .command('sweep')
    .description('Train presets on several seeds, one run after another; a table and a picture tell how sure they are.')
    .addOption(new Option('--preset <names...>', 'recipes').choices(PRESET_NAMES).makeOptionMandatory())
    .addOption(
      new Option('--seeds <range>', 'a range such as 0..19 or a list such as 0,3,7')
        .argParser(seeds)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--out <folder>', 'where to save the runs; the same folder goes on with an unfinished sweep')
        .argParser(path)
        .makeOptionMandatory(),
    ),
)
  .addHelpText(
    'after',
    '\nExamples:\n  nin sweep --preset d2l quick --seeds 0..19 --resize 96 --max-steps 300 --out runs/sweep',
  )
  .action(async (options: SweepOptions, command: Command) => {
    const { preset: _, seeds: __, out: ___, ...given } = givenOptions(command);
    process.exitCode = await sweep(options, given, process.stdout, process.stderr);
  });

program
  .command('evaluate')
  .description("Evaluate a saved run's weights on the test data.")
  .argument('<run>', 'folder of the run', path)
  .addOption(threads())
  .addOption(dataDir())
  .addOption(
    new Option('--test-examples <n>', 'use the first n test examples (default: as the run did)').argParser(
      wholeNumber(1, 10_000),
    ),
  )
  .addOption(json())
  .addHelpText('after', '\nExamples:\n  nin evaluate runs/three\n  nin evaluate runs/three --test-examples 1000 --json')
  .action((run: string, options: EvaluateOptions) => evaluate(run, options, process.stdout, process.stderr));

program
  .command('runs')
  .description('List the runs in a folder: state, accuracy, time.')
  .argument('[folder]', 'folder of runs', path, 'runs')
  .addHelpText('after', '\nExamples:\n  nin runs\n  nin runs /data/runs')
  .action((folder: string) => runs(folder, process.stdout));

program
  .command('bench')
  .description('Measure how fast this machine trains and evaluates, on its CPU.')
  .addOption(new Option('--preset <name>', 'recipe').choices(PRESET_NAMES).default('d2l'))
  .addOption(new Option('--resize <pixels>', 'height and width of the images').argParser(wholeNumber(1, 1024)))
  .addOption(new Option('--batch-size <n>', 'examples in a batch').argParser(wholeNumber(1, 10_000)))
  .addOption(new Option('--steps <n>', 'steps to measure').argParser(wholeNumber(1, 1_000_000)).default(5))
  .addOption(threads())
  .addOption(new Option('--profile', 'show the time of each operator of a training step instead').default(false))
  .addOption(json().conflicts('profile'))
  .addHelpText(
    'after',
    '\nExamples:\n  nin bench\n  nin bench --resize 96 --batch-size 64 --steps 20\n  nin bench --preset quick --profile',
  )
  .action((options: BenchOptions) => bench(options, process.stdout, process.stderr));

program
  .command('summary')
  .description('Print the layers of a network: output shapes, parameters, multiply-adds for one image.')
  .addOption(new Option('--preset <name>', 'whose network').choices(PRESET_NAMES).default('d2l'))
  .addOption(
    new Option('--resize <pixels>', "height and width of the image (default: the preset's)").argParser(
      wholeNumber(1, 1024),
    ),
  )
  .addHelpText('after', '\nExamples:\n  nin summary\n  nin summary --preset quick --resize 128')
  .action(({ preset, resize }: { preset: PresetName; resize?: number }) => {
    const { net, transform } = PRESETS[preset];
    const size = resize ?? transform.resize;
    const { rows, ...totals } = summary(net(), [1, 1, size, size]);
    process.stdout.write(`${modelTable(rows, totals)}\n`);
  });

// A reader that has read enough (`nin runs | head`) is no failure. Words that are lost on a full disk are one, but no
// reason to lose a run.
let isLossTold = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || isLossTold) return;
    isLossTold = true;
    process.stderr.write(`nin: The output cannot be written: ${why(error)}.\n`);
    process.once('exit', () => {
      process.exitCode ||= EXIT.failed;
    });
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its sentence; asking for help or the version is no mistake.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  } else {
    process.stderr.write(`${describeFailure(error)}\n`);
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}
