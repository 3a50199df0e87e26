import { expect, test } from 'vitest';
import { judgeFile, mib } from '../src/file';

const limit = 20 * 1024 * 1024;

test.each([
  ['a.xlsx', 1, ''],
  ['A.CSV', limit, ''],
  ['a.xls', 1, 'wrong_type'],
  ['xlsx', 1, 'wrong_type'],
  ['a.csv', 0, 'empty'],
  ['a.xlsx', limit + 1, 'too_big'],
] as const)('%s of %d bytes: %j', (name, size, want) =>
  expect(judgeFile({ name, size })).toBe(want),
);

test('a file just over the limit looks over it', () => {
  expect(mib(limit)).toBe('20.0');
  expect(mib(limit + 1)).toBe('20.1');
});
