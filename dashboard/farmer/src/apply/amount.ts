/** Amounts as people type them. */

/**
 * Fen of an amount typed in yuan ("1234.5", "３０，０００", "3万"), or null when it is
 * not one: never through a float, at most two decimals.
 */
export function fen(typed: string): number | null {
  const t = typed.normalize('NFKC').replace(/[\s,，¥元]/g, '');
  const m = /^(\d{1,12})(?:\.(\d{1,6}))?(万?)$/.exec(t);
  if (!m) return null;
  const places = m[3] ? 6 : 2; // one 万 is 10^6 fen
  const [, whole = '', part = ''] = m;
  if (part.length > places) return null;
  const value = Number(whole + part.padEnd(places, '0'));
  return Number.isSafeInteger(value) ? value : null;
}

/** What is wrong with an amount against the product's bounds: "", or a locale key. */
export function judge(
  value: number | null,
  min: number,
  max: number,
): '' | 'not_amount' | 'too_low' | 'too_high' {
  if (value === null || value <= 0) return 'not_amount';
  if (value < min) return 'too_low';
  if (value > max) return 'too_high';
  return '';
}

/**
 * Interest of borrowing an amount for one whole month at a yearly rate (1e-8 units),
 * in fen, rounded half to even as the bank does.
 */
export function monthlyCost(amount: number, rate: number): number {
  const num = BigInt(amount) * BigInt(rate);
  const den = 12n * 100_000_000n;
  const q = num / den;
  const twice = (num % den) * 2n;
  const up = twice > den || (twice === den && q % 2n === 1n);
  return Number(up ? q + 1n : q);
}
