import type { ReceivablePart } from '@furrow/shared/api/types';
import { describe, expect, it } from 'vitest';
import { fenOf } from './fen';
import { actsOn } from './Owners';

describe('fenOf', () => {
  it('reads yuan to the last fen and refuses what is no amount', () => {
    expect(fenOf('12,345.6')).toBe(1234560);
    expect(fenOf('0.07')).toBe(7);
    expect(fenOf('¥ 19.99')).toBe(1999);
    for (const bad of ['', '-1', '1.234', 'abc', '1e3']) expect(fenOf(bad)).toBeUndefined();
  });
});

describe('actsOn', () => {
  const part = (hold?: Partial<ReceivablePart['hold']>, paid = 0) =>
    ({ amount: 100, remaining: 100, paid, hold }) as unknown as ReceivablePart;
  it('offers what the state of a part allows', () => {
    expect(actsOn('accepted', part({ kind: 'asked' }))).toEqual(['pledge', 'release']);
    expect(actsOn('accepted', part({ kind: 'pledged' }))).toEqual(['file', 'release']);
    expect(actsOn('accepted', part({ kind: 'pledged', registration: '1' }))).toEqual(['release']);
    expect(actsOn('accepted', part())).toEqual(['freeze']);
    expect(actsOn('accepted', part(undefined, 100))).toEqual([]);
    expect(actsOn('cancelled', part())).toEqual([]);
  });
});
