import type { PurchaseEvent, PurchaseOrder } from '@furrow/shared/api/types';
import { sha256 } from '@furrow/shared/sha256';
import { expect, test } from 'vitest';
import { actor, acts, leftOf, stages } from '../src/sale/acts';

const order = (more: Partial<PurchaseOrder>) =>
  ({
    user_id: 'buyer',
    state: 'submitted',
    lines: [
      { nr: 1, amount: 300, refunded: 300 },
      { nr: 2, amount: 200, refunded: 50 },
    ],
    ...more,
  }) as PurchaseOrder;
const delivery = { by: 'seller' as const, user_id: 's', at: '2026-05-02T00:00:00Z' };

test.each([
  ['a new order', {}, ['confirm', 'decline']],
  ['goods to bring', { state: 'confirmed', rule: 'receipt' }, ['deliver', 'decline']],
  ['goods whose buyer answers', { state: 'confirmed', rule: 'buyer' }, ['decline']],
  ['goods that are there', { state: 'delivered', rule: 'receipt', delivery }, ['decline']],
  ['a payment under way', { state: 'paying', delivery }, []],
  ['paid before the goods came', { state: 'paid' }, ['deliver', 'refund']],
  ['all done', { state: 'paid', delivery }, ['refund']],
  ['a refund under way', { state: 'refunding', delivery }, []],
  ['nothing left to give back', { state: 'paid', delivery, lines: [] }, []],
  ['an end', { state: 'cancelled' }, []],
])('%s offers what can be done', (_, o, want) => {
  expect(acts(order(o as Partial<PurchaseOrder>))).toEqual(want);
});

test('a line gives back what it has left', () =>
  expect(order({}).lines.map(leftOf)).toEqual([0, 150]));

const event = (kind: PurchaseEvent['kind'], user_id: string, at = '', detail?: string) =>
  ({ kind, user_id, at, detail, seq: 1, state: 'submitted' }) as PurchaseEvent;

test('the money comes before the goods where the product does not wait for them', () => {
  const events = [event('submit', 'buyer', 'a'), event('confirm', 's', 'b')];
  expect(stages(order({ paid_at: 'c' }), events)).toEqual([
    { name: 'submit', at: 'a' },
    { name: 'confirm', at: 'b' },
    { name: 'paid', at: 'c' },
    { name: 'deliver', at: undefined },
  ]);
  expect(stages(order({ rule: 'buyer' }), events).map((s) => s.name)).toEqual([
    'submit',
    'confirm',
    'deliver',
    'paid',
  ]);
});

test.each([
  [event('paid', 'system'), 'system'],
  [event('submit', 'buyer'), 'buyer'],
  [event('confirm', 'me'), 'me'],
  [event('refund', 'colleague'), 'seller'],
  [event('deliver', 'colleague', '', 'seller'), 'seller'],
  [event('cancel', 'officer'), 'other'],
])('%j was done by the %s', (e, who) => expect(actor(e, order({}), 'me')).toBe(who));

test('a receipt has the fingerprint that everybody computes', async () => {
  const bytes = new TextEncoder().encode('abc').buffer as ArrayBuffer;
  expect(await sha256(bytes)).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});
