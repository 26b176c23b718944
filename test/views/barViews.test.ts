/** The views of what is short: a download and an evaluation, each a bar on a terminal and plain lines elsewhere. */

import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DownloadView } from '../../src/views/downloadView.js';
import { EvaluationView } from '../../src/views/evaluationView.js';
import { fakeStream } from './exampleRun.js';

const file = 'train-images-idx3-ubyte.gz';
const terminal = { columns: 120, rows: 24 };
const half = '━'.repeat(15) + '─'.repeat(15);

describe('DownloadView', () => {
  it('draws a bar on a terminal', () => {
    const { stream, written } = fakeStream(terminal);
    const view = new DownloadView(stream);
    view.onProgress({ file, bytesDone: 13_000_000, bytesTotal: 26_000_000 });
    view.close();
    expect(stripVTControlCharacters(written())).toContain(`downloading ${file} ${half} 13 MB of 26 MB`);
  });

  it('says only what has come where the server does not say how much there is', () => {
    const { stream, written } = fakeStream(terminal);
    new DownloadView(stream).onProgress({ file, bytesDone: 13_000_000, bytesTotal: null });
    expect(stripVTControlCharacters(written())).toMatch(/13 MB\s*$/);
  });

  it('writes one line a file elsewhere', () => {
    const { stream, written } = fakeStream();
    const view = new DownloadView(stream);
    for (const bytesDone of [0, 1, 2]) view.onProgress({ file, bytesDone, bytesTotal: 2 });
    view.onProgress({ file: 'labels.gz', bytesDone: 0, bytesTotal: 1 });
    view.close();
    expect(written()).toBe(`downloading ${file}\ndownloading labels.gz\n`);
  });
});

describe('EvaluationView', () => {
  const figures = { accuracy: 0.75, perClassAccuracy: [1, 0.5, null], total: 1000 };
  const names = ['bag', 'coat', 'dress'];

  it('draws a bar on a terminal, and replaces it by the accuracy', () => {
    const { stream, written } = fakeStream(terminal);
    const view = new EvaluationView(stream, 1000);
    view.onProgress(500);
    expect(stripVTControlCharacters(written())).toContain(`evaluating ${half} 500 of 1,000`);
    view.onEnd(figures, names);
    view.close();
    expect(stripVTControlCharacters(written())).toContain('test acc 0.750 on 1,000 examples');
  });

  it('writes the accuracy, in all and of each class, without control characters elsewhere', () => {
    const { stream, written } = fakeStream();
    const view = new EvaluationView(stream, 1000);
    view.onProgress(500);
    view.onEnd(figures, names);
    view.close();
    expect(written()).toBe(stripVTControlCharacters(written()));
    const [first, , title, ...rows] = written().trimEnd().split('\n');
    expect(first).toBe('test acc 0.750 on 1,000 examples');
    expect(title).toBe('test accuracy per class');
    expect(rows.map((row) => row.trim().split(/\s+/).slice(0, 2))).toEqual([
      ['bag', '1.000'],
      ['coat', '0.500'],
      ['dress', '–'],
    ]);
  });
});
