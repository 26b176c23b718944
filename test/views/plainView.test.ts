import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createView } from '../../src/views/createView.js';
import { aliveClass, anyEvents, deadClass, end, exampleRun, fakeStream, progress, start } from './exampleRun.js';

function shown(events: readonly Parameters<ReturnType<typeof createView>['onEvent']>[0][]): string {
  const { stream, written } = fakeStream();
  const view = createView(stream, { runFolder: 'runs/1' });
  for (const event of events) view.onEvent(event);
  view.close();
  return written();
}

describe('PlainView', () => {
  it('prints head, a line for each point and epoch, and the closing lines', () => {
    const lines = shown(exampleRun(1)).split('\n');
    expect(lines).toEqual([
      'training on cpu',
      '  model   NiN · 1,992,166 parameters',
      '  data    60,000 train · 10,000 test · 224 × 224 pixels',
      '  run     1 epoch · 469 steps · batch size 128 · preset book · seed 0',
      '  engine  onnxruntime-node 1.30.0 · 2 threads',
      '',
      'epoch 0.20      loss 1.969, train acc 0.232',
      'epoch 0.40      loss 1.732, train acc 0.327',
      'epoch 0.59      loss 1.554, train acc 0.398',
      'epoch 0.79      loss 1.415, train acc 0.454',
      'epoch 0.99      loss 1.304, train acc 0.498',
      'epoch 1.00      loss 1.300, train acc 0.500',
      'epoch 1 done    loss 0.500, train acc 0.800, test acc 0.380',
      '',
      'loss 0.563, train acc 0.786, test acc 0.790',
      '3087.6 examples/sec on cpu',
      '',
      'test accuracy per class',
      `  t-shirt   0.810  ${'━'.repeat(24)}╾${'─'.repeat(5)}`,
      `  trouser   0.000  ${'─'.repeat(30)}`,
      '  pullover      –',
      '',
      'saved in runs/1',
      '',
    ]);
  });

  it("gives a sign of life every half minute of the run's clock, counted from the last line", () => {
    const at = (secondsElapsed: number) => ({ ...progress, secondsElapsed });
    const point = { type: 'point', epoch: 0.2, trainLoss: 2.3, trainAccuracy: 0.1 } as const;
    const lines = shown([start, at(10), at(29), at(31), at(32), at(50), point, at(62), at(79), at(81)])
      .trimEnd()
      .split('\n')
      .slice(6);
    expect(lines).toEqual([
      'epoch 1.28      loss 0.910, train acc 0.660, 64.0% done, 17.9 examples/sec, 0:31 elapsed, 40:10 left',
      'epoch 0.20      loss 2.300, train acc 0.100',
      'epoch 1.28      loss 0.910, train acc 0.660, 64.0% done, 17.9 examples/sec, 1:21 elapsed, 40:10 left',
    ]);
  });

  it('writes a warning as one line, a notice as it is, and the warnings again at the end', () => {
    const notice = { type: 'notice', message: 'The checkpoint\nwas not saved.' } as const;
    const events = [start, deadClass(1, 40), notice, aliveClass(1, 1234), deadClass(0, 9)];
    const lines = shown([...events, { ...end, result: { ...end.result, deadClasses: [0] } }]).split('\n');
    expect(lines.slice(6, 11)).toEqual([
      'step 64         WARNING: The class "trouser" is dead: nothing can be learned for it. Start again.',
      'The checkpoint was not saved.',
      'step 1,234      The class "trouser" is alive again.',
      'step 33         WARNING: The class "t-shirt" is dead: nothing can be learned for it. Start again.',
      '',
    ]);
    expect(lines).toContain('1 of 3 classes is dead, nothing is learned for it: t-shirt');
    expect(lines.slice(lines.indexOf('warnings') + 1, -3)).toEqual([
      '  ▲ since step 9      The class "t-shirt" is dead: nothing can be learned for it. Start again.',
      '  ✓ since step 1,234  The class "trouser" is alive again. It was dead from step 40 on.',
    ]);
  });

  it('writes no control characters but line ends, whatever the events', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        expect(shown(events)).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});
