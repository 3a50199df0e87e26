/** Amounts as people write them. */
import type { Fen } from '@furrow/shared/api/types';

/** The server takes no more: 100 billion yuan. */
const MOST = 10_000_000_000_000;

/**
 * Yuan as written into fen: "128,500.5", "￥1２8" and "1 000" are understood. undefined
 * for what is no amount, has more than two decimals, or is not above zero.
 */
export function fenOf(text: string): Fen | undefined {
  const plain = text.normalize('NFKC').replace(/[\s,¥]/g, '');
  const [, yuan, cents = ''] = /^(\d{1,12})(?:\.(\d{0,2}))?$/.exec(plain) ?? [];
  if (yuan === undefined) return undefined;
  const fen = Number(yuan) * 100 + Number(cents.padEnd(2, '0'));
  return fen > 0 && fen <= MOST ? fen : undefined;
}

/** Fen as a field holds them: 12850000 → "128500.00". */
export const yuanOf = (fen: Fen) =>
  `${Math.trunc(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;

/** Today in the bank's time zone, such as 2026-05-31. */
export const today = (now = Date.now()) =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(now);
