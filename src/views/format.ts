/** Numbers, times and names as every view writes them. */
import { stripVTControlCharacters } from 'node:util';
import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';

const grouped = new Intl.NumberFormat('en-US');

/** A whole number with a comma between thousands: `1,992,166`. */
export function count(value: number): string {
  return grouped.format(value);
}

/** A number with `digits` decimals; as in the book's Python, `nan` and `inf` where it is none. */
export function fixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return value.toFixed(digits);
}

/** A large number in millions: `762 M`; below ten million with one decimal. */
export function millions(value: number): string {
  const inMillions = value / 1e6;
  return `${inMillions < 10 ? fixed(inMillions, 1) : count(Math.round(inMillions))} M`;
}

/** A time span as `m:ss` or `h:mm:ss`. */
export function duration(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : 0;
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number): string => String(part).padStart(2, '0');
  return h > 0 ? `${count(h)}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A time span in words, for an estimate: `50 seconds`, `3 minutes`, `2.7 hours`. */
export function roughDuration(seconds: number): string {
  const inUnit = (value: number, unit: string, digits: number) => {
    const figure = fixed(value, digits);
    return `${figure} ${unit}${figure === '1' ? '' : 's'}`;
  };
  if (seconds < 59.5) return inUnit(Math.max(1, seconds), 'second', 0);
  if (seconds < 59.5 * 60) return inUnit(seconds / 60, 'minute', 0);
  return inUnit(seconds / 3600, 'hour', 1);
}

/** A number of epochs without needless decimals: `10`, `0.25`. */
export function epochs(value: number): string {
  return String(Number(fixed(value, 2)));
}

/**
 * A name from outside (a class, a preset) made safe to print: without escape sequences, control characters and
 * characters that reverse or hide text, any of which could break the picture around it.
 */
export function printable(name: string): string {
  return stripVTControlCharacters(name)
    .replace(/\s/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
}

/** Cuts a line, colours and all, to `width` columns; where something is cut the last column shows `…`. */
export function cut(line: string, width: number): string {
  if (stringWidth(line) <= width) return line;
  // Where a wide character lies across the cut, the slice may still be a column too wide.
  for (let end = width - 1; end >= 0; end--) {
    const kept = sliceAnsi(line, 0, end);
    if (stringWidth(kept) < width) return `${kept}…`;
  }
  return '';
}

/**
 * A text without colours as lines of at most `width` columns, broken between words; a word longer than a line is cut.
 * At most `most` lines (default: all): the last of them is cut where there is more.
 */
export function wrap(text: string, width: number, most = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((piece) => piece !== '')) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (lines.length >= most || stringWidth(`${last} ${word}`) <= width) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => cut(line, width));
}

/** A text filled with blanks to `width` columns; wide characters count two. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}
