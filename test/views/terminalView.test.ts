import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createView } from '../../src/views/createView.js';
import { PlainView } from '../../src/views/plainView.js';
import { TerminalView } from '../../src/views/terminalView.js';
import { deadClass, end, exampleRun, fakeStream, progress, start } from './exampleRun.js';

const HIDE = '\u001B[?25l';
const SHOW = '\u001B[?25h';

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv('TERM', 'xterm-256color');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('createView', () => {
  it('picks the view that suits the stream', () => {
    expect(createView(fakeStream().stream)).toBeInstanceOf(PlainView);
    expect(createView(fakeStream({ columns: 80, rows: 24 }).stream)).toBeInstanceOf(TerminalView);
    vi.stubEnv('TERM', 'dumb');
    expect(createView(fakeStream({ columns: 80, rows: 24 }).stream)).toBeInstanceOf(PlainView);
  });
});

describe('TerminalView', () => {
  it("leaves the last plot and the book's closing lines, and brings the cursor back", () => {
    const { stream, written } = fakeStream({ columns: 80, rows: 24 });
    const view = new TerminalView(stream, { runFolder: 'runs/1' });
    for (const event of exampleRun(2)) view.onEvent(event);
    view.close();
    const text = written();
    expect(text.indexOf(HIDE)).toBeGreaterThanOrEqual(0);
    expect(text.lastIndexOf(SHOW)).toBeGreaterThan(text.lastIndexOf(HIDE));
    const lines = stripVTControlCharacters(text).trimEnd().split('\n');
    expect(lines[0]).toBe('training on cpu');
    expect(lines).toContain('loss 0.563, train acc 0.786, test acc 0.790');
    expect(lines).toContain('3087.6 examples/sec on cpu');
    expect(lines.at(-1)).toBe('saved in runs/1');
  });

  it('brings the cursor back and leaves the last picture when closed midway, once', () => {
    const { stream, written } = fakeStream({ columns: 80, rows: 24 });
    const view = new TerminalView(stream);
    view.onEvent(start);
    view.onEvent(progress);
    view.close();
    const text = written();
    expect(text.endsWith(SHOW)).toBe(true);
    expect(stripVTControlCharacters(text)).toContain('epoch 1.28/2 · loss 0.910');
    view.close();
    vi.advanceTimersByTime(1000);
    expect(written()).toBe(text);
    expect(stream.listenerCount('resize')).toBe(0);
  });

  it('draws at most ten pictures a second, the last one included', () => {
    const { stream, written } = fakeStream({ columns: 80, rows: 24 });
    const view = new TerminalView(stream);
    view.onEvent(start);
    const write = vi.spyOn(stream, 'write');
    for (let step = 0; step < 1000; step++) {
      view.onEvent({ ...progress, step, epoch: step / 500 });
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(200);
    expect(write.mock.calls.length).toBeGreaterThanOrEqual(8);
    expect(write.mock.calls.length).toBeLessThanOrEqual(12);
    expect(stripVTControlCharacters(written())).toContain('epoch 2.00/2');
    view.close();
  });

  it('draws everything anew after a resize, in lines that fit the new window', () => {
    const { stream, written } = fakeStream({ columns: 100, rows: 30 });
    const view = new TerminalView(stream);
    view.onEvent(start);
    view.onEvent(progress);
    const before = written().length;
    Object.assign(stream, { columns: 40, rows: 30 });
    stream.emit('resize');
    vi.advanceTimersByTime(200);
    const lines = stripVTControlCharacters(written().slice(before)).split('\n');
    expect(lines.some((line) => line.includes('training on cpu'))).toBe(true);
    for (const line of lines) expect(line.length).toBeLessThan(40);
    view.close();
  });

  it('keeps a warning in the picture and repeats it at the end', () => {
    const { stream, written } = fakeStream({ columns: 80, rows: 24 });
    const view = new TerminalView(stream);
    view.onEvent(start);
    view.onEvent(progress);
    view.onEvent(deadClass(1, 40));
    vi.advanceTimersByTime(200);
    const live = stripVTControlCharacters(written());
    expect(live).toContain('▲ step 64: The class "trouser" is dead');
    view.onEvent({ ...end, result: { ...end.result, deadClasses: [1] } });
    const last = stripVTControlCharacters(written()).slice(live.length);
    expect(last).toContain('1 of 3 classes is dead');
    expect(last).toContain('warnings\n  ▲ since step 40  The class "trouser" is dead');
    expect(last).not.toContain('step 64');
  });

  it('prints a notice above the picture, and again after a resize', () => {
    const { stream, written } = fakeStream({ columns: 80, rows: 24 });
    const view = new TerminalView(stream);
    view.onEvent({ type: 'notice', message: 'early' });
    expect(written()).toBe('early\n');
    view.onEvent(start);
    view.onEvent(progress);
    const before = written().length;
    view.onEvent({ type: 'notice', message: 'The checkpoint\u001B[2J was not saved.' });
    const shown = stripVTControlCharacters(written().slice(before)).split('\n');
    expect(shown.filter((line) => line === 'The checkpoint was not saved.')).toHaveLength(1);
    expect(shown.some((line) => line.startsWith('epoch 1.28/2'))).toBe(true);
    const beforeResize = written().length;
    Object.assign(stream, { columns: 20 });
    stream.emit('resize');
    vi.advanceTimersByTime(200);
    expect(stripVTControlCharacters(written().slice(beforeResize))).toContain('The checkpoint was\nnot saved.');
    view.close();
  });

  it('colours only where the stream says it can', () => {
    const picture = (depth: number): string => {
      const { stream, written } = fakeStream({ columns: 80, rows: 24 });
      const view = new TerminalView(Object.assign(stream, { getColorDepth: () => depth }));
      view.onEvent(start);
      view.onEvent(progress);
      view.close();
      return written();
    };
    const dim = '\u001B[2m';
    expect(picture(1)).not.toContain(dim);
    expect(picture(8)).toContain(dim);
  });
});
