/** What may be done with the parts of a receivable. */
import type { Receivable, ReceivableLine, ReceivablePart } from '@furrow/shared/api/types';

export {
  FATES,
  type Fate,
  type Row,
  rowsOf,
  type Shares,
  sharesOf,
  totals,
} from '@furrow/shared/receivable/tree';

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
