/** `nin evaluate`: a saved run's test accuracy, from its weights. */

import { createNodeEngine } from '../engine/onnx/nodeEngine.js';
import { loadStateDict, stateDict } from '../nn/stateDict.js';
import { RunError } from '../run/runError.js';
import { SavedRun } from '../run/runFolder.js';
import { Evaluator, imageInputOf } from '../training/evaluate.js';
import { EvaluationView } from '../views/evaluationView.js';
import type { ViewStream } from '../views/view.js';
import { loadData } from './loadData.js';

export interface EvaluateOptions {
  readonly threads?: number;
  readonly dataDir?: string;
  readonly testExamples?: number;
  readonly json: boolean;
}

/** Prints the accuracy, in all and per class. */
export async function evaluate(
  run: string,
  options: EvaluateOptions,
  stdout: ViewStream,
  stderr: ViewStream,
): Promise<void> {
  const stream = options.json ? stderr : stdout;
  const folder = new SavedRun(run);
  const config = await folder.readConfig();
  const net = folder.networkOf(config, 'evaluation');
  loadStateDict(net, await folder.readWeights());

  const dataDir = options.dataDir ?? config.data.dir;
  const testExamples = options.testExamples ?? (config.data.testExamples || undefined);
  const { transform, batchSize } = config.training;
  const [, testIter] = await loadData(
    {
      ...transform,
      batchSize,
      dataDir: dataDir ?? undefined,
      testExamples,
    },
    stream,
  );
  if (testIter.dataset.checksum !== config.data.testChecksum) {
    throw new RunError(`The test data is not that of the run: its checksum is ${testIter.dataset.checksum}.`);
  }
  const evaluator = new Evaluator(createNodeEngine({ threads: options.threads }), net, imageInputOf(testIter));
  const view = new EvaluationView(stream, testIter.exampleCount);
  try {
    const evaluation = await evaluator.evaluate(stateDict(net), testIter, (done) => {
      view.onProgress(done);
      return true;
    });
    if (!evaluation) return;
    view.onEnd(evaluation, testIter.dataset.classNames);
    const { accuracy, perClassAccuracy, total } = evaluation;
    const figures = { testAccuracy: accuracy, perClassAccuracy, testExamples: total, run };
    if (options.json) stdout.write(`${JSON.stringify(figures)}\n`);
  } finally {
    view.close();
    await evaluator.release();
  }
}
