import { expect, test } from 'vitest';
import { dayOf, monthOf, quarterOf, quarters } from './period';

test('days and months are those of Shanghai', () => {
  const late = new Date('2026-05-31T17:00:00Z');
  expect(dayOf(late)).toBe('2026-06-01');
  expect(monthOf(late)).toBe('2026-06');
});

test('a quarter has three months, and follows the one before over the year', () => {
  expect(['2026-01', '2026-03', '2026-04', '2026-12'].map(quarterOf)).toEqual([
    '2026Q1',
    '2026Q1',
    '2026Q2',
    '2026Q4',
  ]);
  expect(quarters('2026-05', 4)).toEqual(['2026Q2', '2026Q1', '2025Q4', '2025Q3']);
});
