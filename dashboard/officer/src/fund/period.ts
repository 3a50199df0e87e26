/** The month of a moment in Shanghai: "2026-05". */
export function monthOf(at: Date): string {
  return new Intl.DateTimeFormat('en-CA', {
    timeZone: 'Asia/Shanghai',
    year: 'numeric',
    month: '2-digit',
  }).format(at);
}

/** The day of a moment in Shanghai: "2026-05-31". */
export function dayOf(at: Date): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(at);
}

/** The quarter of a month: "2026-05" → "2026Q2". */
export function quarterOf(month: string): string {
  return `${month.slice(0, 4)}Q${Math.ceil(Number(month.slice(5, 7)) / 3)}`;
}

/** The quarter of a month and those before it, newest first. */
export function quarters(month: string, count: number): string[] {
  let year = Number(month.slice(0, 4));
  let nr = Math.ceil(Number(month.slice(5, 7)) / 3);
  return Array.from({ length: count }, () => {
    const name = `${year}Q${nr}`;
    nr -= 1;
    if (nr === 0) {
      nr = 4;
      year -= 1;
    }
    return name;
  });
}

/** Basis points as a share of one. */
export const share = (bp: number) => bp / 10_000;
