/** The parts of a receivable as a tree, and what may be done with them. */
import type { Fen, Receivable, ReceivableLine, ReceivablePart } from '@furrow/shared/api/types';

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

/** What a person may ask for here. */
export const ACTS = [
  'confirm',
  'accept',
  'pay',
  'transfer',
  'split',
  'ask',
  'unask',
  'set-off',
  'cancel',
] as const;
export type ActKind = (typeof ACTS)[number];

/** Whether the root was never used, so that both sides can still call it off. */
const untouched = (r: Receivable) =>
  (r.parts ?? []).length === 1 && !r.parts[0]?.hold && r.paid + r.set_off === 0;

const unfinished = (r: Receivable) => ['proposed', 'confirmed', 'accepted'].includes(r.state);

/** What the firm that owes a receivable may do with it on a day. */
export function owedActs({ receivable: r }: ReceivableLine, day: string): ActKind[] {
  const acts: ActKind[] = [];
  if (r.state === 'proposed' && day < r.due) acts.push('confirm');
  if (r.state === 'confirmed' || r.state === 'accepted') acts.push('pay');
  if (unfinished(r) && untouched(r) && r.cancel_asked_by !== r.obligor_id) acts.push('cancel');
  return acts;
}

/** What the holder of the whole may do with it on a day. */
export function heldActs({ receivable: r }: ReceivableLine, firm: string, day: string): ActKind[] {
  const root = (r.parts ?? []).find((p) => p.id === r.id);
  if (root?.holder_id !== firm) return [];
  const acts: ActKind[] = [];
  if (r.state === 'confirmed' && day < r.due) acts.push('accept');
  if ((r.state === 'confirmed' || r.state === 'accepted') && untouched(r)) {
    if (!r.cancel_asked_by || r.cancel_asked_by === r.obligor_id) acts.push('cancel');
  }
  return acts;
}

/** What the holder of one part may do with it on a day. */
export function partActs(
  r: Receivable,
  part: ReceivablePart,
  firm: string,
  day: string,
): ActKind[] {
  if (r.state !== 'accepted' || part.holder_id !== firm) return [];
  if (part.hold?.kind === 'asked') return ['unask'];
  if (part.hold || part.remaining <= part.paid) return [];
  return day < r.due ? ['transfer', 'split', 'ask', 'set-off'] : ['set-off'];
}
