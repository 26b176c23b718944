/** `nin train --resume`: goes on with a run where its last checkpoint is, to the same end. */

import { chooseDevice } from '../engine/chooseDevice.js';
import { createNodeEngine } from '../engine/onnx/nodeEngine.js';
import type { RunConfig } from '../run/runConfig.js';
import { RunError } from '../run/runError.js';
import { parseEvents, RunFolder, SavedRun } from '../run/runFolder.js';
import { createView } from '../views/createView.js';
import type { ViewStream } from '../views/view.js';
import { followRun } from './followRun.js';
import { loadData } from './loadData.js';
import { exitCodes, type TrainOptions, writeJson } from './train.js';

/** The options that would change what a run computes, and what the run was started with. */
function saved({ training, data }: RunConfig): Partial<Record<keyof TrainOptions, unknown>> {
  return {
    preset: training.preset,
    resize: training.transform.resize,
    batchSize: training.batchSize,
    epochs: training.epochs,
    maxSteps: training.maxSteps ?? undefined,
    lr: training.learningRate,
    seed: training.seed,
    trainExamples: data.trainExamples,
    testExamples: data.testExamples,
  };
}

/** Wrong usage of the command line that only the run can tell. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Makes sure that a run would be the same run with the given options.
 * @throws UsageError that names those that differ
 */
export function refuseOtherOptions(path: string, config: RunConfig, given: Partial<TrainOptions>): void {
  const conflicts = Object.entries(saved(config))
    .filter(([name, value]) => name in given && given[name as keyof TrainOptions] !== value)
    .map(([name, value]) => `${name} was ${value ?? 'not given'}, now it is ${given[name as keyof TrainOptions]}`);
  if (conflicts.length === 0) return;
  throw new UsageError(
    `The run in ${path} keeps its options: ${conflicts.join('; ')}. Leave these out, or start a new run.`,
  );
}

/**
 * Goes on with a run.
 * @param given the options that were on the command line, as their values
 * @returns the exit code
 * @throws UsageError where a given option is not what the run was started with
 */
export async function resume(
  path: string,
  given: Partial<TrainOptions>,
  stdout: ViewStream,
  stderr: ViewStream,
): Promise<number> {
  const stream = given.json ? stderr : stdout;
  const config = await new SavedRun(path).readConfig();
  refuseOtherOptions(path, config, given);
  if (given.out !== undefined) {
    throw new UsageError(`A resumed run stays where it is, in ${path}; leave --out away.`);
  }
  const device = await chooseDevice(given.device ?? config.engine.device);
  const threads = given.threads ?? config.engine.threads;
  const engine = { name: createNodeEngine({ device, threads }).name, device, threads };
  const { training, data } = config;
  const { transform, batchSize, seed } = training;
  const { trainExamples, testExamples } = data;
  const dataDir = given.dataDir ?? data.dir ?? undefined;
  const [trainIter, testIter] = await loadData(
    { ...transform, batchSize, seed, dataDir, trainExamples, testExamples },
    stream,
  );
  if (trainIter.dataset.checksum !== data.trainChecksum || testIter.dataset.checksum !== data.testChecksum) {
    throw new RunError(
      'The data is not that of the run: its checksum differs. Give the folder it was with --data-dir.',
    );
  }

  const { folder, checkpoint, events, skipped } = await RunFolder.reopen(path, config, engine);
  const view = createView(stream, { runFolder: path });
  const from = checkpoint?.snapshot;
  const notices = [
    ...skipped,
    from ? `Going on after step ${from.progress.step}.` : 'There is no checkpoint yet: starting again.',
  ];
  const before = checkpoint?.engine;
  if (before && (before.name !== engine.name || before.device !== device || before.threads !== threads)) {
    notices.push(
      `The run so far was computed by ${before.name} on ${before.device} with ${before.threads} threads, from here on ` +
        `by ${engine.name} on ${device} with ${threads}: it will not be bit for bit the run it would have been.`,
    );
  }
  for (const notice of notices) stream.write(`${notice}\n`);
  const result = await followRun(
    {
      config: training,
      engine: { device, threads },
      train: trainIter,
      test: testIter.exampleCount > 0 ? testIter : undefined,
      from,
      checkpointMinutes: given.checkpointMinutes,
    },
    folder,
    view,
    parseEvents(events),
  );
  if (given.json) writeJson(stdout, result, path);
  return exitCodes[result.state];
}
