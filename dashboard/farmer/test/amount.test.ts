import { expect, test } from 'vitest';
import { fen, judge, monthlyCost } from '../src/apply/amount';

test.each([
  ['30000', 3_000_000],
  ['1234.5', 123_450],
  ['0.01', 1],
  ['￥３０，０００ 元', 3_000_000],
  ['3万', 3_000_000],
  ['1.25万', 1_250_000],
  ['999999999999', 99_999_999_999_900],
])('%s is %d fen', (typed, want) => expect(fen(typed)).toBe(want));

test.each(['', 'abc', '-1', '1.234', '1e3', '1..2', '.5', '1.2345678万', '9999999999999'])(
  '%s is no amount',
  (typed) => expect(fen(typed)).toBeNull(),
);

test('an amount is judged against the bounds of the product', () => {
  expect(judge(null, 100, 200)).toBe('not_amount');
  expect(judge(0, 0, 200)).toBe('not_amount');
  expect(judge(99, 100, 200)).toBe('too_low');
  expect(judge(100, 100, 200)).toBe('');
  expect(judge(200, 100, 200)).toBe('');
  expect(judge(201, 100, 200)).toBe('too_high');
});

test('the monthly cost is exact and rounds half to even', () => {
  expect(monthlyCost(3_000_000, 4_350_000)).toBe(10_875); // 30,000 yuan at 4.35 %
  expect(monthlyCost(6, 100_000_000)).toBe(0); // 0.5
  expect(monthlyCost(18, 100_000_000)).toBe(2); // 1.5
  expect(monthlyCost(99_999_999_999_900, 24_000_000)).toBe(1_999_999_999_998);
});
