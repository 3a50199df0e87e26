import type { TrialLine } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { even, sides, unfolded } from './trial';

const line = (code: string, depth: number, closing = 0, heading = false): TrialLine => ({
  code,
  depth,
  closing,
  heading,
  name: {},
  class: 'asset',
  opening: 0,
  debits: 0,
  credits: 0,
});
const book = [
  line('assets', 0, 300, true),
  line('money', 1, 100, true),
  line('cash', 2, 100),
  line('loans', 1, 200),
  line('income', 0, -300),
];
const codes = (folded: string[]) => unfolded(book, new Set(folded)).map((l) => l.code);

test('a folded heading hides what stands below it, and only that', () => {
  expect(codes([])).toHaveLength(5);
  expect(codes(['money'])).toEqual(['assets', 'money', 'loans', 'income']);
  expect(codes(['assets'])).toEqual(['assets', 'income']);
  expect(codes(['assets', 'money'])).toEqual(['assets', 'income']);
});

test('headings are not counted twice', () => {
  expect(sides(book)).toEqual({ debit: 300, credit: 300 });
});

test('a book is even when nothing is left over on any side', () => {
  const sound = { opening: 0, closing: 0, debits: 5, credits: 5 };
  expect(even(sound)).toBe(true);
  expect(even({ ...sound, credits: 4 })).toBe(false);
  expect(even({ ...sound, closing: 1 })).toBe(false);
});
