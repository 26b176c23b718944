import { describe, expect, it } from 'vitest';
import { modelTable } from '../../src/views/modelTable.js';

describe('modelTable', () => {
  it('lists layers in aligned columns and ends with the totals', () => {
    const rows = [
      { layer: 'NiN block 11x11, 96', outputShape: [96, 54, 54], parameters: 30_336, multiplyAdds: 87_664_896 },
      { layer: 'max pool', outputShape: [96, 26, 26], parameters: 0, multiplyAdds: 0 },
      { layer: 'flatten', outputShape: [10], parameters: 0, multiplyAdds: 0 },
    ];
    expect(modelTable(rows, { parameters: 1_992_166, multiplyAdds: 761_600_000 }).split('\n')).toEqual([
      ' layer                output shape  parameters  multiply-adds',
      '──────────────────────────────────────────────────────────────',
      ' NiN block 11x11, 96  96 × 54 × 54      30,336     87,664,896',
      ' max pool             96 × 26 × 26           –              –',
      ' flatten              10                     –              –',
      '',
      ' 1,992,166 parameters, 762 M multiply-adds',
    ]);
  });
});
