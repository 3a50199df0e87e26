import type { Fen, TrialLine } from '@furrow/shared/api/types';

/** The lines that are seen when some headings are folded; lines stand below their headings. */
export function unfolded(lines: TrialLine[], folded: ReadonlySet<string>): TrialLine[] {
  let under = Number.POSITIVE_INFINITY; // depth of the folded heading above
  return lines.filter((l) => {
    if (l.depth > under) return false;
    under = folded.has(l.code) ? l.depth : Number.POSITIVE_INFINITY;
    return true;
  });
}

/** What stands on each side at the end, over accounts without their headings. */
export function sides(lines: TrialLine[]): { debit: Fen; credit: Fen } {
  const sum = { debit: 0, credit: 0 };
  for (const l of lines)
    if (!l.heading) sum[l.closing > 0 ? 'debit' : 'credit'] += Math.abs(l.closing);
  return sum;
}

/** Sums over the whole book agree: the turnovers, and the balances of both sides. */
export function even(trial: { opening: Fen; closing: Fen; debits: Fen; credits: Fen }): boolean {
  return trial.opening === 0 && trial.closing === 0 && trial.debits === trial.credits;
}
