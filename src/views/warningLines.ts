/**
 * How warnings look: a few short lines that stay below a running picture, and a block with every word of them when the
 * run is over. A leading mark tells good news from bad where there is no colour.
 */
import type { ChalkInstance } from 'chalk';
import stringWidth from 'string-width';
import type { WarningEvent } from '../training/events.js';
import { type Finding, isRecovery } from './findings.js';
import { count, cut, padEnd, printable, wrap } from './format.js';

/** Columns a class's name may take; a longer one is cut. */
const LONGEST_NAME = 32;

/** Lines of one warning below a running picture. */
const MOST_LINES_EACH = 2;

/** Narrower than this, a block of warnings is left to the terminal to break. */
const NARROWEST = 24;

/** A class's name as the views print it; `class 3` where it has none. */
export function classTitle(classNames: readonly string[], index: number): string {
  return cut(printable(classNames[index] ?? `class ${index}`), LONGEST_NAME);
}

/**
 * The latest findings in at most `room` lines of at most `width` columns. Troubles that last come before those that
 * are over; classes that are dead together share an entry, so that none is hidden by another.
 */
export function warningLines(
  findings: readonly Finding[],
  classNames: readonly string[],
  width: number,
  room: number,
  paint: ChalkInstance,
): string[] {
  const entries = liveEntries(findings, classNames);
  const lines: string[] = [];
  for (const [index, { warning, text }] of entries.entries()) {
    const left = entries.length - index;
    // The last line is kept for saying that there is more.
    const free = room - lines.length - (left > 1 && index > 0 ? 1 : 0);
    if (free <= 0) {
      if (lines.length < room) lines.push(paint.dim(`  and ${left} more`));
      break;
    }
    const shade = shadeOf(warning, paint);
    const wrapped = wrap(text, width - 2, Math.min(free, MOST_LINES_EACH));
    lines.push(...wrapped.map((line, row) => shade(`${row === 0 ? mark(warning) : ' '} ${line}`)));
  }
  return lines.map((line) => cut(line, width));
}

interface Entry {
  readonly warning: WarningEvent;
  readonly text: string;
}

function liveEntries(findings: readonly Finding[], classNames: readonly string[]): Entry[] {
  const dead = findings.filter(({ warning }) => warning.kind === 'deadClass').map(({ warning }) => warning);
  const [latestDead] = dead;
  const lasting = findings.filter(({ warning }) => !isRecovery(warning));
  const over = findings.filter(({ warning }) => isRecovery(warning));
  return [...lasting, ...over].flatMap(({ warning }) => {
    if (warning.kind !== 'deadClass' || dead.length === 1) {
      return [{ warning, text: `step ${count(warning.step)}: ${printable(warning.message)}` }];
    }
    if (warning !== latestDead) return [];
    const names = dead.map(({ classIndex, sinceStep }) => {
      return `${classTitle(classNames, classIndex ?? -1)} (since step ${count(sinceStep)})`;
    });
    return [{ warning, text: `step ${count(warning.step)}: ${dead.length} classes are dead: ${names.join(', ')}` }];
  });
}

/** A block of all findings in the order of their beginning, each with its step and its whole message. */
export function warningBlock(findings: readonly Finding[], width: number, paint: ChalkInstance): string[] {
  if (findings.length === 0) return [];
  const ordered = [...findings].sort((a, b) => a.warning.sinceStep - b.warning.sinceStep);
  const labels = ordered.map(({ warning }) => since(warning));
  const labelWidth = Math.max(...labels.map((label) => stringWidth(label)));
  const textWidth = width - labelWidth - 6;
  const rows = ordered.flatMap((finding, index) => {
    const shade = shadeOf(finding.warning, paint);
    const text = wholeText(finding);
    const lines = textWidth < NARROWEST ? [text] : wrap(text, textWidth);
    return lines.map((line, row) => {
      const first = row === 0;
      const label = padEnd(first ? (labels[index] ?? '') : '', labelWidth);
      return `  ${shade(first ? mark(finding.warning) : ' ')} ${shade(label)}  ${line}`;
    });
  });
  return ['warnings', ...rows];
}

/** The message, and what other warnings of the same trouble said. */
function wholeText({ warning, times, deadFrom }: Finding): string {
  const before = deadFrom === null ? '' : ` It was dead from step ${count(deadFrom)} on.`;
  const often = times > 1 ? ` (${count(times)} times)` : '';
  return `${printable(warning.message)}${before}${often}`;
}

/** When it began. A plateau may be over by the time this is read, so it is not said to last. */
function since({ kind, sinceStep }: WarningEvent): string {
  const step = `step ${count(sinceStep)}`;
  if (kind === 'deadClass' || kind === 'aliveClass') return `since ${step}`;
  return kind === 'plateau' ? `from ${step}` : `at ${step}`;
}

function mark(warning: WarningEvent): string {
  return isRecovery(warning) ? '✓' : '▲';
}

function shadeOf(warning: WarningEvent, paint: ChalkInstance): ChalkInstance {
  if (isRecovery(warning)) return paint.green;
  return warning.kind === 'deadClass' || warning.kind === 'notFinite' ? paint.red : paint.yellow;
}
