import type { Decision, Fen, Reason } from './api/types';

/** One step from what the evidence is worth to the limit. */
export interface LimitStep {
  code: string;
  text: string;
  /** What the step starts from and what it leaves; the first starts from 0. */
  from: Fen;
  to: Fen;
  kind: 'base' | 'lower' | 'raise' | 'round';
}

/**
 * The steps of a limit, out of the reasons that move it: what the evidence is worth, what
 * raises it, what lowers it, the most first, and what rounding takes. Empty when no step is
 * told, or when they do not lead to the limit: then a picture of them would be wrong.
 */
export function limitSteps(decision: Decision): LimitStep[] {
  const moves = (decision.reasons ?? []).filter((r) => r.amount);
  const base = moves.find((r) => r.effect === 'info' && r.amount > 0);
  if (!base || !decision.limit) return [];
  const rank = (r: Reason) => (r.amount > 0 ? 0 : r.effect === 'info' ? 2 : 1);
  const rest = moves
    .filter((r) => r !== base)
    .sort((a, b) => rank(a) - rank(b) || Math.abs(b.amount) - Math.abs(a.amount));
  let at = base.amount;
  const steps: LimitStep[] = [
    { code: base.code, text: base.message, from: 0, to: at, kind: 'base' },
  ];
  for (const r of rest) {
    const to = at + r.amount;
    steps.push({ code: r.code, text: r.message, from: at, to, kind: to < at ? 'lower' : 'raise' });
    at = to;
  }
  const left = at - decision.limit;
  if (left < 0 || left > Math.max(at * 0.02, 1_000_00)) return [];
  if (left > 0)
    steps.push({ code: 'round', text: '', from: at, to: decision.limit, kind: 'round' });
  return steps.length > 1 ? steps : [];
}
