import { describe, expect, it } from 'vitest';
import { marked } from './quote';

describe('marked', () => {
  it('marks every name and loses nothing of the quote', () => {
    const quote = '甲禾粮油向乙丰采购，甲禾付款。';
    const pieces = marked(quote, ['甲禾', '甲禾粮油', '乙丰']);
    expect(pieces.map((p) => p.text).join('')).toBe(quote);
    expect(pieces.filter((p) => p.name).map((p) => p.text)).toEqual(['甲禾粮油', '乙丰', '甲禾']);
  });
  it('leaves a quote without names as it is', () => {
    expect(marked('明天有雨', ['', '甲'])).toEqual([{ at: 0, text: '明天有雨', name: false }]);
    expect(marked('', ['甲'])).toEqual([]);
  });
});
