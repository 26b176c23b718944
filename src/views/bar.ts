/** A share of a whole as a bar: a thick line over a thin one, so it reads without colours too. */
import type { ChalkInstance } from 'chalk';

/** The bar, exactly `columns` long, to half a column; `filled` paints its thick part. `share` is cut to 0..1. */
export function bar(share: number, columns: number, filled: ChalkInstance, paint: ChalkInstance): string {
  const halves = Math.round(Math.min(1, Math.max(0, share)) * columns * 2);
  const thick = '━'.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? '╾' : '');
  return filled(thick) + paint.dim('─'.repeat(columns - Math.ceil(halves / 2)));
}
