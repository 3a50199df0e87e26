import { expect, test } from 'vitest';
import { judgeFile, largest, mib, stem } from '../src/file';

const book = 128 * 1024 * 1024;
const text = 256 * 1024 * 1024;

test.each([
  ['a.xlsx', 1, ''],
  ['a.xlsx', book, ''],
  ['A.CSV', text, ''],
  ['a.xls', 1, 'wrong_type'],
  ['xlsx', 1, 'wrong_type'],
  ['a.csv', 0, 'empty'],
  ['a.xlsx', book + 1, 'too_big'],
  ['a.csv', text + 1, 'too_big'],
] as const)('%s of %d bytes: %j', (name, size, want) =>
  expect(judgeFile({ name, size })).toBe(want),
);

test('a file just over the limit looks over it', () => {
  expect(mib(book)).toBe('128.0');
  expect(mib(book + 1)).toBe('128.1');
  expect(largest('a.xlsx')).toBe(128);
});

test('only the last end of a name tells its type', () => {
  expect(stem('供应商.2026.xlsx')).toBe('供应商.2026');
  expect(stem('plain')).toBe('plain');
});
