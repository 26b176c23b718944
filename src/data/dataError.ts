/** The data room's one error: data, or a wish for data, that cannot be used. Its message says what to do. */

/** Data is missing, damaged or does not fit, or an option of the data loader makes no sense. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
