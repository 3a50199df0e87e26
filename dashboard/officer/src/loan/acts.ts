import type {
  Instalment,
  LoanTransaction,
  OfficerLoanEvent,
  OfficerLoanHappening,
} from '@furrow/shared/api/types';
import { fenOf } from '../receivable/fen';

/** What an officer may be asked for before something is done to a loan. */
export type Field =
  | 'date' // value date: earlier than today is a back-dated entry
  | 'amount'
  | 'part' // an amount that may be left out: all of it
  | 'name'
  | 'due_on'
  | 'penalty'
  | 'charge' // the charge that it refers to
  | 'undone' // the event that is undone
  | 'received' // the payment that it refers to
  | 'row' // the first row that changes
  | 'to'
  | 'rate'
  | 'extra'
  | 'grace_principal'
  | 'grace_interest'
  | 'rows'
  | 'every'
  | 'unit';

/** What can be done to a loan, in groups as a person looks for them. */
export const GROUPS = {
  money: ['repay', 'payoff', 'refund', 'credit_refund', 'recovery', 'chargeback'],
  relief: ['waive', 'waive_interest', 'goodwill', 'pause_penalty'],
  terms: ['reschedule', 'extend', 're_age', 're_amortise', 'rate_change'],
  charges: ['charge', 'adjust_charge'],
  loss: ['charge_off', 'write_off'],
  mend: ['reverse'],
} as const;

export type Act = (typeof GROUPS)[keyof typeof GROUPS][number];

export const FIELDS: Record<Act, Field[]> = {
  repay: ['amount', 'date'],
  payoff: ['date'],
  refund: ['amount'],
  credit_refund: ['amount', 'date'],
  recovery: ['amount', 'date'],
  chargeback: ['received', 'part', 'date'],
  waive: ['charge', 'part', 'date'],
  waive_interest: ['part', 'date'],
  goodwill: ['amount', 'date'],
  pause_penalty: ['date', 'to'],
  reschedule: ['row', 'to', 'date'],
  extend: ['row', 'extra', 'grace_principal', 'grace_interest', 'date'],
  re_age: ['due_on', 'rows', 'every', 'unit', 'date'],
  re_amortise: ['date'],
  rate_change: ['row', 'rate', 'date'],
  charge: ['amount', 'name', 'due_on', 'penalty', 'date'],
  adjust_charge: ['charge', 'amount', 'date'],
  charge_off: ['date'],
  write_off: ['date'],
  reverse: ['undone', 'date'],
};

const OPTIONAL: Field[] = [
  'date',
  'part',
  'name',
  'penalty',
  'charge',
  'extra',
  'grace_principal',
  'grace_interest',
];

const KINDS_UNDONE = ['disburse', 'reverse', 'accrue', 'paid_at_draw'];

/** What a loan in a state takes. */
export function actsOn(state: string, credit: number): Act[] {
  const all = Object.values(GROUPS).flat() as Act[];
  if (state === 'drawing' || state === 'failed') return [];
  const back: Act[] = credit > 0 ? ['refund', 'credit_refund'] : [];
  if (state === 'written_off') return ['recovery', ...back, 'reverse'];
  if (state === 'closed') return [...back, 'chargeback', 'reverse'];
  return all.filter(
    (act) => act !== 'recovery' && (credit > 0 || (act !== 'refund' && act !== 'credit_refund')),
  );
}

export type Values = Partial<Record<Field, string>>;

const whole = (text: string | undefined) =>
  text !== undefined && /^\d{1,4}$/.test(text.trim()) ? Number(text) : undefined;

/** 3.85 percent in basis points, or undefined when it is no rate. */
export function basisPoints(text: string): number | undefined {
  const found = /^(\d{1,4})(?:\.(\d{1,2}))?$/.exec(text.trim().replace(/%$/, ''));
  if (!found) return undefined;
  return Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0'));
}

/** The fields whose values are absent or make no sense. */
export function missing(act: Act, values: Values): Field[] {
  const wrong = FIELDS[act].filter((field) => {
    const value = (values[field] ?? '').trim();
    if (!value) return !OPTIONAL.includes(field);
    if (field === 'amount' || field === 'part') return !fenOf(value);
    if (field === 'rate') return basisPoints(value) === undefined;
    if (['rows', 'every', 'extra', 'grace_principal', 'grace_interest'].includes(field))
      return whole(value) === undefined || (field === 'rows' && whole(value) === 0);
    return false;
  });
  const moved: Field[] = ['extra', 'grace_principal', 'grace_interest'];
  const nothing = act === 'extend' && !moved.some((field) => whole(values[field]));
  return nothing ? [...wrong, 'extra'] : wrong;
}

/** The event that the values of a form describe; they are complete. */
export function eventOf(act: Act, values: Values): OfficerLoanEvent {
  const has = (field: Field) => FIELDS[act].includes(field);
  const value = (field: Field) => (has(field) ? (values[field] ?? '').trim() : '');
  const event: OfficerLoanEvent = { kind: act };
  if (value('date')) event.date = value('date');
  const amount = fenOf(value('amount') || value('part'));
  if (amount) event.amount = amount;
  const target = value('charge') || value('undone') || value('received');
  if (target) event.target = target;
  if (act === 'charge') {
    event.charge = { due_on: value('due_on') };
    if (value('name')) event.charge.name = value('name');
    if (value('penalty')) event.charge.penalty = true;
    return event;
  }
  const from = value('row') || value('due_on');
  const change: NonNullable<OfficerLoanEvent['change']> = {};
  if (from) change.from = from;
  if (value('to')) change.to = value('to');
  if (has('rate')) change.rate_bp = basisPoints(value('rate')) ?? 0;
  for (const field of ['extra', 'grace_principal', 'grace_interest', 'every'] as const) {
    const n = whole(value(field));
    if (n) change[field] = n;
  }
  if (has('rows')) change.n = whole(value('rows')) ?? 0;
  const unit = value('unit');
  if (unit) change.unit = unit as NonNullable<typeof change.unit>;
  if (Object.keys(change).length) event.change = change;
  return event;
}

/** The ids of events that a later one undid. */
export function undone(events: OfficerLoanHappening[]): Set<string> {
  return new Set(events.filter((h) => h.event.kind === 'reverse').map((h) => h.event.target ?? ''));
}

/** The events that can be undone, or that a field refers to, newest first. */
export function targets(field: Field, events: OfficerLoanHappening[]): OfficerLoanHappening[] {
  const gone = undone(events);
  const open = events.filter((h) => !gone.has(h.event.id ?? '')).reverse();
  if (field === 'charge') return open.filter((h) => h.event.kind === 'charge');
  if (field === 'received') return open.filter((h) => ['repay', 'payoff'].includes(h.event.kind));
  return open.filter((h) => !KINDS_UNDONE.includes(h.event.kind));
}

/** Rows that are still to come, or that are open. */
export const openRows = (rows: Instalment[]) => rows.filter((r) => r.status !== 'paid');

/**
 * Transactions whose parts were worked out again, with the entry that made it so: one that
 * was booked later with an earlier value date, or that undid an earlier event.
 */
export function retaken(
  transactions: LoanTransaction[],
  events: OfficerLoanHappening[],
): Map<string, OfficerLoanHappening> {
  const by = new Map(events.map((h) => [h.event.id ?? '', h]));
  const found = new Map<string, OfficerLoanHappening>();
  for (const cause of events) {
    const undid = cause.event.kind === 'reverse' ? by.get(cause.event.target ?? '') : undefined;
    const from = (undid ?? cause).event.date ?? '';
    for (const tx of transactions) {
      const own = by.get(tx.event);
      if (!own || tx.reversed || own.nr >= cause.nr || own === undid) continue;
      if (tx.date > from || (undid && tx.date === from && own.nr > undid.nr))
        found.set(tx.event, cause);
    }
  }
  return found;
}

/** Days between two calendar dates. */
export const daysBetween = (from: string, to: string) =>
  Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
