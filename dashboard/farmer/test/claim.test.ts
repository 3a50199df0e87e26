import { expect, test } from 'vitest';
import { claimedM2 } from '../src/draw/claim';

test.each([
  ['15', 10_000],
  [' １５ 亩 ', 10_000],
  ['1.5', 1000],
  ['1,500', 1_000_000],
  ['', undefined],
  ['  ', undefined],
  ['0', null],
  ['-3', null],
  ['about 5', null],
  ['1.2.3', null],
  ['9999999', null],
])('%o of mu is %o m²', (typed, m2) => {
  expect(claimedM2(typed)).toBe(m2);
});
