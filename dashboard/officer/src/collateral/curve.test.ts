import type { CoverDay } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { curve, top } from './curve';

const day = (date: string, bp?: number): CoverDay => ({
  date,
  cover: {
    advance: 0,
    assets: 1,
    owed: 0,
    shortfall: 0,
    unknown: 0,
    value: 0,
    ...(bp === undefined ? {} : { cover_bp: bp }),
  },
});

test('days stand where they are in time, also over days that are missing', () => {
  const lines = curve([
    day('2026-05-01', 12_000),
    day('2026-05-02', 11_000),
    day('2026-05-05', 9_000),
  ]);
  expect(lines).toEqual([
    [
      { at: 0, bp: 12_000 },
      { at: 0.25, bp: 11_000 },
      { at: 1, bp: 9_000 },
    ],
  ]);
});

test('the line breaks while nothing is owed', () => {
  const lines = curve([day('2026-05-01', 9_000), day('2026-05-02'), day('2026-05-03', 8_000)]);
  expect(lines.map((l) => l.length)).toEqual([1, 1]);
  expect(curve([])).toEqual([]);
  expect(curve([day('2026-05-01', 9_000)])).toEqual([[{ at: 1, bp: 9_000 }]]);
});

test('the scale holds the lines and the levels, and ends at ten times', () => {
  expect(top([[{ at: 0, bp: 16_000 }]], [11_000])).toBe(20_000);
  expect(top([], [])).toBe(15_000);
  expect(top([[{ at: 0, bp: 900_000 }]], [])).toBe(100_000);
});
