/** What a person reads when a command fails. */

/** Errors whose message is written for the user: their stack says nothing more. */
const EXPECTED = new Set(['DataError', 'EngineError', 'GraphError', 'RunError', 'SafetensorsError', 'UsageError']);

/** One sentence for what the user can mend; for a mistake of ours, all that helps to find it. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return `nin: ${String(error)}`;
  if (EXPECTED.has(error.name)) return `nin: ${error.message}`;
  return `nin: this should not have happened; please report it.\n${error.stack ?? error.message}`;
}
