import type { Instalment } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { after, months, span, unpaid } from '../src/lending/months';

const row = (due_on: string, status: string, more: Partial<Instalment> = {}): Instalment => ({
  nr: 1,
  from: '2026-01-01',
  due_on,
  days: 30,
  principal: 1000,
  interest: 50,
  fee: 0,
  due: 1050,
  balance: 0,
  penalty: 0,
  paid_principal: 0,
  paid_interest: 0,
  paid_penalty: 0,
  paid_fee: 0,
  in_advance: 0,
  late: 0,
  waived: 0,
  status,
  ...more,
});

test('a month without an instalment stands empty between two that have one', () => {
  const all = months([row('2026-11-10', 'paid'), row('2027-01-10', 'future')]);
  expect(all.map((m) => [m.month, m.mark, m.due])).toEqual([
    ['2026-11', 'paid', 1050],
    ['2026-12', 'none', 0],
    ['2027-01', 'future', 1050],
  ]);
});

test('a month shows its worst instalment and the sum of all', () => {
  const [m] = months([
    row('2026-11-10', 'paid', { paid_principal: 1000, paid_interest: 50 }),
    row('2026-11-20', 'overdue', { penalty: 7, paid_principal: 400 }),
  ]);
  expect(m).toMatchObject({ mark: 'overdue', due: 2107, left: 657 });
});

test('what is waived is not to be paid', () => {
  expect(unpaid(row('2026-11-10', 'due', { fee: 30, waived: 50 }))).toBe(1030);
});

test('no instalments make no months', () => expect(months([])).toEqual([]));

test('months follow each other over the year', () => {
  expect(after('2026-12')).toBe('2027-01');
  expect(span('2026-11-30', '2027-01-01')).toEqual(['2027-01', '2026-12', '2026-11']);
  expect(span('2027-02-01', '2027-01-01')).toEqual([]);
});
