/** A repayment calendar by months. */
import type { Instalment } from '@furrow/shared/api/types';

export type Mark = 'none' | 'future' | 'due' | 'overdue' | 'paid';

/** One month: what falls due in it, and how it stands. */
export interface Month {
  month: string; // "2026-05"
  due: number; // fen, with penalty
  left: number; // of it, not paid
  mark: Mark;
  rows: Instalment[];
}

/** The worst of a month is what it shows. */
const RANK: Mark[] = ['none', 'paid', 'future', 'due', 'overdue'];

/** What is still to pay of an instalment. */
export function unpaid(r: Instalment): number {
  const paid = r.paid_principal + r.paid_interest + r.paid_penalty + r.paid_fee;
  return r.principal + r.interest + r.penalty + r.fee - paid - r.waived;
}

/** Every month from the first instalment's to the last one's, also those with nothing due. */
export function months(rows: readonly Instalment[]): Month[] {
  const of = new Map<string, Month>();
  for (const r of rows) {
    const month = r.due_on.slice(0, 7);
    const m = of.get(month) ?? { month, due: 0, left: 0, mark: 'none' as Mark, rows: [] };
    const mark = (RANK.includes(r.status as Mark) ? r.status : 'future') as Mark;
    m.due += r.due + r.penalty;
    m.left += unpaid(r);
    m.rows.push(r);
    if (RANK.indexOf(mark) > RANK.indexOf(m.mark)) m.mark = mark;
    of.set(month, m);
  }
  const names = [...of.keys()].sort();
  const last = names.at(-1) ?? '';
  const all: Month[] = [];
  for (let name = names[0] ?? ''; name && name <= last; name = after(name))
    all.push(of.get(name) ?? { month: name, due: 0, left: 0, mark: 'none', rows: [] });
  return all;
}

/** The month after "2026-12" is "2027-01". */
export function after(month: string): string {
  const [year = 0, nr = 0] = month.split('-').map(Number);
  return nr === 12 ? `${year + 1}-01` : `${year}-${String(nr + 1).padStart(2, '0')}`;
}

/** Months from one day's to another's, the last first. */
export function span(from: string, to: string): string[] {
  const all: string[] = [];
  for (let m = from.slice(0, 7); m && m <= to.slice(0, 7); m = after(m)) all.push(m);
  return all.reverse();
}
