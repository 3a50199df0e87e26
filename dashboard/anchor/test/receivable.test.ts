import type { Receivable, ReceivableLine, ReceivablePart } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { fenOf, today, yuanOf } from '../src/receivable/amount';
import { heldActs, owedActs, partActs, rowsOf, totals } from '../src/receivable/tree';

test.each([
  ['128,500.5', 12850050],
  ['￥１２８', 12800],
  ['1 000', 100000],
  ['0.01', 1],
  ['12.', 1200],
  ['100000000000', 10_000_000_000_000],
  ['100000000000.01', undefined],
  ['0', undefined],
  ['-5', undefined],
  ['1.234', undefined],
  ['12.5万', undefined],
  ['', undefined],
])('%j yuan are %j fen', (text, fen) => expect(fenOf(text)).toBe(fen));

test.each([1, 5, 99, 100, 12850050])('%d fen stay the same in a field', (fen) =>
  expect(fenOf(yuanOf(fen))).toBe(fen),
);

test('the day is that of the bank', () =>
  expect(today(Date.parse('2026-05-31T16:30:00Z'))).toBe('2026-06-01'));

const part = (id: string, parent: string, holder: string, more: Partial<ReceivablePart>) =>
  ({ id, number: id, parent_id: parent, holder_id: holder, paid: 0, ...more }) as ReceivablePart;

/** 100: s keeps 30, of which 10 are paid; 50 went to t, who had 20 financed; 20 are set off. */
const parts = [
  part('r', '', 's', { amount: 100, remaining: 30, paid: 10 }),
  part('a', 'r', 't', { amount: 50, remaining: 30 }),
  part('o', 'r', 'o', { amount: 20, remaining: 20 }),
  part('b', 'a', 't', {
    amount: 20,
    remaining: 20,
    hold: { kind: 'pledged', since: '2026-05-01T00:00:00Z', owed: 20 },
  }),
];
const whole = {
  id: 'r',
  amount: 100,
  obligor_id: 'o',
  creditor_id: 's',
  due: '2026-11-30',
  state: 'accepted',
  paid: 10,
  set_off: 20,
  parts,
} as Receivable;
const line = (r: Partial<Receivable>) =>
  ({ receivable: { ...whole, ...r } }) as unknown as ReceivableLine;

test('every part stands below the one it came from, under what that one passed on', () => {
  const rows = rowsOf(whole);
  expect(rows.map((r) => [r.part.id, r.depth, r.from, r.width])).toEqual([
    ['r', 0, 0, 1],
    ['a', 1, 0.3, 0.5],
    ['b', 2, 0.6, 0.2],
    ['o', 1, 0.8, 0.2],
  ]);
});

test('what became of the whole adds up to it', () => {
  expect(totals(rowsOf(whole))).toEqual({ paid: 10, set_off: 20, free: 50, pledged: 20 });
});

test('a part whose parent is not shown begins a tree of its own', () => {
  const rows = rowsOf({ ...whole, parts: parts.slice(1, 2) });
  expect(rows.map((r) => [r.part.id, r.depth])).toEqual([['a', 0]]);
});

const fresh = [part('r', '', 's', { amount: 100, remaining: 100 })];

test.each([
  ['a proposal', { state: 'proposed', parts: fresh, paid: 0, set_off: 0 }, ['confirm', 'cancel']],
  ['a confirmed one', { state: 'confirmed', parts: fresh, paid: 0, set_off: 0 }, ['pay', 'cancel']],
  [
    'one whose cancellation we asked for',
    { parts: fresh, paid: 0, set_off: 0, cancel_asked_by: 'o' },
    ['pay'],
  ],
  ['one that moved', {}, ['pay']],
  ['a settled one', { state: 'redeemed' }, []],
] as const)('who owes %s may do %j', (_, r, acts) =>
  expect(owedActs(line(r as unknown as Partial<Receivable>), '2026-06-01')).toEqual(acts),
);

test('nobody confirms on the due date', () =>
  expect(
    owedActs(line({ state: 'proposed', parts: fresh, paid: 0, set_off: 0 }), whole.due),
  ).toEqual(['cancel']));

test('only the holder of the whole accepts or declines', () => {
  const l = line({ state: 'confirmed', parts: fresh, paid: 0, set_off: 0 });
  expect(heldActs(l, 's', '2026-06-01')).toEqual(['accept', 'cancel']);
  expect(heldActs(l, 't', '2026-06-01')).toEqual([]);
});

test('a part is used by its holder, while nothing holds it', () => {
  const [root, a, , b] = parts as [ReceivablePart, ReceivablePart, ReceivablePart, ReceivablePart];
  const use = ['transfer', 'split', 'ask', 'set-off'];
  expect(partActs(whole, root, 's', '2026-06-01')).toEqual(use);
  expect(partActs(whole, root, 't', '2026-06-01')).toEqual([]);
  expect(partActs(whole, a, 't', '2026-12-01')).toEqual(['set-off']);
  expect(partActs(whole, b, 't', '2026-06-01')).toEqual([]);
  const asked = { ...b, hold: { kind: 'asked', since: '2026-05-01T00:00:00Z' } };
  expect(partActs(whole, asked, 't', '2026-06-01')).toEqual(['unask']);
  expect(partActs({ ...whole, state: 'confirmed' }, root, 's', '2026-06-01')).toEqual([]);
});
