/** The parts of a receivable as a tree, and what became of each. */
import type { Fen, Receivable, ReceivablePart } from '../api/types';

/** What became of an amount, in the order in which bars show it. */
export const FATES = ['paid', 'set_off', 'free', 'asked', 'pledged', 'frozen', 'passed'] as const;
export type Fate = (typeof FATES)[number];
export type Shares = Partial<Record<Fate, Fen>>;

/** One part in its place: the whole is 0..1, children lie under what their parent passed on. */
export interface Row {
  part: ReceivablePart;
  depth: number;
  /** Where its bar begins, and how long it is, as shares of the receivable. */
  from: number;
  width: number;
  shares: Shares;
}

/** What became of one part. Of a part that the obligor holds, the rest is set off. */
export function sharesOf(part: ReceivablePart, obligor: string): Shares {
  const passed = part.amount - part.remaining;
  const all: Shares =
    part.holder_id === obligor
      ? { set_off: part.remaining, passed }
      : {
          paid: part.paid,
          [(part.hold?.kind ?? 'free') as Fate]: part.remaining - part.paid,
          passed,
        };
  return Object.fromEntries(Object.entries(all).filter(([, fen]) => fen > 0));
}

/** All parts, each below the one it came from. A part whose parent is not shown is a root. */
export function rowsOf(r: Receivable): Row[] {
  const parts = r.parts ?? [];
  const known = new Set(parts.map((p) => p.id));
  const below = new Map<string, ReceivablePart[]>();
  for (const p of parts) {
    const parent = p.parent_id && known.has(p.parent_id) ? p.parent_id : '';
    below.set(parent, [...(below.get(parent) ?? []), p]);
  }
  const rows: Row[] = [];
  const place = (siblings: ReceivablePart[], depth: number, start: Fen) => {
    let at = start;
    for (const part of siblings) {
      const whole = r.amount || 1;
      rows.push({
        part,
        depth,
        from: at / whole,
        width: part.amount / whole,
        shares: sharesOf(part, r.obligor_id),
      });
      place(below.get(part.id) ?? [], depth + 1, at + part.remaining);
      at += part.amount;
    }
  };
  place(below.get('') ?? [], 0, 0);
  return rows;
}

/** What became of the whole, over all parts that are shown. */
export function totals(rows: Row[]): Shares {
  const sum: Shares = {};
  for (const { shares } of rows)
    for (const fate of FATES)
      if (fate !== 'passed' && shares[fate]) sum[fate] = (sum[fate] ?? 0) + shares[fate];
  return sum;
}
