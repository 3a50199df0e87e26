import { M2_PER_MU } from '@furrow/shared/format';

/** What the server takes at most, in m². */
const MOST_M2 = 100_000_000;

/**
 * m² of an area typed in mu ("12.5", "１２亩"), undefined when nothing is typed, null
 * when it is no area above 0 that a plot can have.
 */
export function claimedM2(typed: string): number | undefined | null {
  const t = typed.normalize('NFKC').replace(/[\s,，]|亩|mu/gi, '');
  if (!t) return undefined;
  if (!/^\d{1,7}(\.\d{1,4})?$/.test(t)) return null;
  const m2 = Number(t) * M2_PER_MU;
  return m2 > 0 && m2 <= MOST_M2 ? Math.round(m2 * 100) / 100 : null;
}
