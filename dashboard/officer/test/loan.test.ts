import type {
  ClassSum,
  Instalment,
  LoanTransaction,
  OfficerLoanHappening,
} from '@furrow/shared/api/types';
import { describe, expect, test } from 'vitest';
import { actsOn, basisPoints, eventOf, FIELDS, missing, retaken, targets } from '../src/loan/acts';
import { shareOf, sumOf } from '../src/loan/classes';
import { promised, real, steps } from '../src/loan/curve';

const tx = (event: string, date: string, more: Partial<LoanTransaction> = {}) =>
  ({
    event,
    date,
    kind: 'repay',
    amount: 1,
    balance: 0,
    reversed: false,
    ...more,
  }) as LoanTransaction;
const happened = (nr: number, kind: string, date: string, target?: string) =>
  ({ nr, event: { id: `e${nr}`, kind, date, target } }) as OfficerLoanHappening;

describe('what a form says', () => {
  test('yuan, percent and rows become an event', () => {
    expect(eventOf('repay', { amount: '1,000.5', date: '2026-05-01', row: '2026-06-01' })).toEqual({
      kind: 'repay',
      amount: 100050,
      date: '2026-05-01',
    });
    expect(eventOf('rate_change', { row: '2026-06-01', rate: '3.85' })).toEqual({
      kind: 'rate_change',
      change: { from: '2026-06-01', rate_bp: 385 },
    });
    expect(
      eventOf('charge', { amount: '20', name: '查询费', due_on: '2026-07-01', penalty: 'yes' }),
    ).toEqual({
      kind: 'charge',
      amount: 2000,
      charge: { due_on: '2026-07-01', name: '查询费', penalty: true },
    });
    expect(
      eventOf('re_age', { due_on: '2026-07-01', rows: '6', every: '1', unit: 'months' }).change,
    ).toEqual({ from: '2026-07-01', n: 6, every: 1, unit: 'months' });
    expect(eventOf('waive', { charge: '', part: '' })).toEqual({ kind: 'waive' });
  });

  test('what is absent or no number is asked for', () => {
    expect(missing('repay', {})).toEqual(['amount']);
    expect(missing('repay', { amount: '-3' })).toEqual(['amount']);
    expect(missing('repay', { amount: '0' })).toEqual(['amount']);
    expect(missing('waive', { part: 'x' })).toEqual(['part']);
    expect(missing('waive', {})).toEqual([]);
    expect(missing('extend', { row: '2026-06-01' })).toEqual(['extra']);
    expect(missing('extend', { row: '2026-06-01', grace_principal: '2' })).toEqual([]);
    expect(
      missing('re_age', { due_on: '2026-07-01', rows: '0', every: '1', unit: 'months' }),
    ).toEqual(['rows']);
  });

  test('a rate has two decimals at most', () => {
    expect(basisPoints('3.85%')).toBe(385);
    expect(basisPoints('1000')).toBe(100_000);
    for (const bad of ['', '-1', '3.855', 'x']) expect(basisPoints(bad)).toBeUndefined();
  });
});

describe('what may be done', () => {
  test('follows the state and the money held', () => {
    expect(actsOn('failed', 0)).toEqual([]);
    expect(actsOn('active', 0)).not.toContain('refund');
    expect(actsOn('active', 5)).toContain('refund');
    expect(actsOn('active', 0)).not.toContain('recovery');
    expect(actsOn('written_off', 0)).toEqual(['recovery', 'reverse']);
    for (const act of actsOn('overdue', 1)) expect(FIELDS[act].length).toBeGreaterThan(0);
  });

  test('neither a drawdown nor what is undone can be undone', () => {
    const events = [
      happened(1, 'disburse', '2026-01-01'),
      happened(2, 'repay', '2026-02-01'),
      happened(3, 'reverse', '2026-02-03', 'e2'),
      happened(4, 'charge', '2026-02-05'),
    ];
    expect(targets('undone', events).map((h) => h.nr)).toEqual([4]);
    expect(targets('charge', events).map((h) => h.nr)).toEqual([4]);
    expect(targets('received', events)).toEqual([]);
  });
});

describe('transactions that were split again', () => {
  const events = [
    happened(1, 'disburse', '2026-01-01'),
    happened(2, 'repay', '2026-02-01'),
    happened(3, 'repay', '2026-03-01'),
  ];
  const rows = [tx('e1', '2026-01-01'), tx('e2', '2026-02-01'), tx('e3', '2026-03-01')];

  test('follow an entry with an earlier date', () => {
    const found = retaken(rows, [...events, happened(4, 'charge', '2026-02-15')]);
    expect([...found].map(([id, h]) => [id, h.nr])).toEqual([['e3', 4]]);
  });

  test('follow what was undone, and not the undoing', () => {
    const undone = [rows[0], { ...rows[1], reversed: true }, rows[2]] as LoanTransaction[];
    const found = retaken(undone, [...events, happened(4, 'reverse', '2026-03-05', 'e2')]);
    expect([...found.keys()]).toEqual(['e3']);
  });

  test('are none when all is in its order', () => {
    expect(retaken(rows, events).size).toBe(0);
  });
});

describe('the picture of the balance', () => {
  test('promises what the rows leave, in the order of their days', () => {
    const row = (nr: number, due_on: string, balance: number) =>
      ({ nr, due_on, balance }) as Instalment;
    expect(
      promised('2026-01-01', 100, [row(2, '2026-03-01', 0), row(1, '2026-02-01', 50)]).map(
        (p) => p.fen,
      ),
    ).toEqual([100, 50, 0]);
  });

  test('shows what was out, to this day, without what was undone', () => {
    const rows = [
      tx('e1', '2026-01-01', { kind: 'disburse', balance: 100 }),
      tx('a', '2026-01-31', { kind: 'accrue', balance: 100 }),
      tx('e2', '2026-02-01', { balance: 0, reversed: true }),
      tx('e3', '2026-02-02', { balance: 60 }),
      tx('e4', '2026-02-02', { balance: 40 }),
    ];
    const points = real(rows, '2026-05-01');
    expect(points).toEqual([
      { date: '2026-01-01', fen: 100 },
      { date: '2026-02-02', fen: 40 },
      { date: '2026-05-01', fen: 40 },
    ]);
    const path = steps(
      points,
      (d) => Number(d.slice(5, 7)),
      (fen) => fen,
    );
    expect(path).toBe('M1.0 100.0H2.0V40.0H5.0V40.0');
  });
});

test('classes are summed, and a share of nothing is nothing', () => {
  const line = (cls: string, stage: number, outstanding: number) =>
    ({ class: cls, stage, loans: 1, outstanding, overdue: 0, expected_loss: 1 }) as ClassSum;
  const lines = [line('normal', 1, 60), line('loss', 3, 40)];
  expect(sumOf(lines, (l) => l.stage === 3)).toMatchObject({ loans: 1, outstanding: 40 });
  expect(shareOf(40, 100)).toBe(0.4);
  expect(shareOf(1, 0)).toBe(0);
});
