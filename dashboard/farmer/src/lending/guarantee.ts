/** How a guarantee stands for the one who is asked for it. */
import type { Guarantee } from '@furrow/shared/api/types';
import type { Tone } from '../ui/Pill';

export type GuaranteeState = 'waits' | 'ready' | 'signed' | 'declined' | 'over';

const OVER = new Set(['refused', 'withdrawn', 'expired', 'closed']);

/** Their own word first; then whether the borrower has signed, so that they may. */
export function stateOf(g: Pick<Guarantee, 'state' | 'ready' | 'guarantor'>): GuaranteeState {
  if (g.guarantor.declined_at) return 'declined';
  if (OVER.has(g.state)) return 'over';
  if (g.guarantor.signed_at) return 'signed';
  return g.ready ? 'ready' : 'waits';
}

export const guaranteeTones: Record<GuaranteeState, Tone> = {
  waits: 'wait',
  ready: 'go',
  signed: 'done',
  declined: 'stop',
  over: 'done',
};
