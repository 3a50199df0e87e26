/** What a seller may do with an order, what was done, and how far it is. */
import type { Fen, PurchaseEvent, PurchaseLine, PurchaseOrder } from '@furrow/shared/api/types';

export const ACTS = ['confirm', 'deliver', 'refund', 'decline'] as const;
export type ActKind = (typeof ACTS)[number];

/** What may be asked for in the list: a draft is not the seller's business. */
export const STATES = [
  'submitted',
  'confirmed',
  'delivered',
  'paying',
  'paid',
  'refunding',
  'refunded',
  'cancelled',
  'expired',
] as const;
export type State = (typeof STATES)[number];

/** What of a line can still be given back. */
export const leftOf = (l: PurchaseLine): Fen => l.amount - l.refunded;

/** What the seller may do now, the usual thing first. */
export function acts(o: PurchaseOrder): ActKind[] {
  const open = !o.delivery && ['confirmed', 'paying', 'paid'].includes(o.state);
  return [
    ...(o.state === 'submitted' ? (['confirm'] as const) : []),
    ...(open && o.rule !== 'buyer' ? (['deliver'] as const) : []),
    ...(o.state === 'paid' && o.lines.some((l) => leftOf(l) > 0) ? (['refund'] as const) : []),
    ...(['submitted', 'confirmed', 'delivered'].includes(o.state) ? (['decline'] as const) : []),
  ];
}

/** One step of the way of an order; at is when it was taken. */
export interface Stage {
  name: 'submit' | 'confirm' | 'deliver' | 'paid';
  at?: string;
}

/**
 * The way of an order to its end, in the order in which its product takes the steps: the
 * money before the goods where it does not wait for them.
 */
export function stages(o: PurchaseOrder, events: PurchaseEvent[]): Stage[] {
  const at = (kind: Stage['name']) => events.findLast((e) => e.kind === kind)?.at;
  const names: Stage['name'][] = o.rule
    ? ['submit', 'confirm', 'deliver', 'paid']
    : ['submit', 'confirm', 'paid', 'deliver'];
  return names.map((name) => ({ name, at: name === 'paid' ? o.paid_at : at(name) }));
}

/** Who took a step: the house by itself, the buyer, the reader, or somebody else. */
export function actor(
  e: PurchaseEvent,
  o: PurchaseOrder,
  me: string,
): 'system' | 'buyer' | 'me' | 'seller' | 'other' {
  if (e.user_id === 'system') return 'system';
  if (e.user_id === o.user_id) return 'buyer';
  if (e.user_id === me) return 'me';
  const ours = e.kind === 'confirm' || e.kind === 'refund' || e.detail === 'seller';
  return ours ? 'seller' : 'other';
}
