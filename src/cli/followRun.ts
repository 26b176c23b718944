/** Follows a run to its end: shows it, records it, saves its checkpoints, and lets Ctrl-C end it well. */

import type { TrainingJob } from '../run/job.js';
import { RunError } from '../run/runError.js';
import type { RunFolder, RunResult } from '../run/runFolder.js';
import { startTraining } from '../run/startTraining.js';
import type { RecordedEvent } from '../training/events.js';
import { curvesSvg } from '../views/curvesSvg.js';
import type { View } from '../views/view.js';

/**
 * Trains a job into a folder. The first SIGINT or SIGTERM ends it after its step and saves it; a second ends the
 * process at once, with the checkpoint before intact.
 * @param earlier what the run has recorded already, shown first
 */
export async function followRun(
  job: TrainingJob,
  folder: RunFolder,
  view: View,
  earlier: readonly RecordedEvent[] = [],
): Promise<RunResult> {
  const notice = (message: string) => view.onEvent({ type: 'notice', message });
  const run = startTraining(job, async (snapshot) => {
    try {
      await folder.saveCheckpoint(snapshot);
    } catch (error) {
      // A run that cannot be saved now may be savable later, and is worth finishing in any case.
      if (!(error instanceof RunError)) throw error;
      notice(error.message);
    }
  });
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals++;
    if (signals === 1) {
      notice('Stopping after this step and saving; once more stops at once.');
      run.stop();
    } else {
      view.close();
      // As without a handler. `process.exit` would wait for the thread inside ONNX Runtime, which then aborts.
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    for (const event of earlier) view.onEvent(event);
    for await (const event of run) {
      folder.record(event);
      if (event.type === 'end') {
        const recorded = folder.readEvents();
        const result = { ...event.result, warnings: recorded.filter((event) => event.type === 'warning') };
        await folder.finish(run.state, result, await curvesSvg(recorded));
        view.onEvent(event);
        return result;
      }
      view.onEvent(event);
    }
    throw new Error('The training thread ended without a word.');
  } finally {
    view.close();
    folder.close();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
