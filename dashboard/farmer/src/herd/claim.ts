/**
 * Claim codes: 16 letters and digits, none that looks like another, of which the last
 * checks the others. The server judges as well; here a wrong one is told while it is typed.
 */
const LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const LENGTH = 16;

/** What was typed or pasted, in capitals and groups of four: "ABCD-EFGH-…". */
export function grouped(typed: string): string {
  const code = bare(typed).slice(0, 2 * LENGTH); // what is too long is said, not cut
  return code.match(/.{1,4}/g)?.join('-') ?? '';
}

const bare = (typed: string) =>
  typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}_.]/gu, '');

/** What is wrong with a code: a strange letter, its length, its check; "" when sound. */
export function judge(typed: string): '' | 'letters' | 'length' | 'check' {
  const code = bare(typed);
  const places = [...code].map((c) => LETTERS.indexOf(c));
  if (places.includes(-1)) return 'letters';
  if (places.length !== LENGTH) return 'length';
  // Σ (i+1)·cᵢ of all sixteen is divisible by the number of letters, a prime.
  const sum = places.reduce((s, place, i) => s + (i + 1) * place, 0);
  return sum % LETTERS.length ? 'check' : '';
}
