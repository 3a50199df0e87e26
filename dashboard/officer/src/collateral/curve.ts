import type { CoverDay } from '@furrow/shared/api/types';

export interface Point {
  at: number; // 0 to 1 over the time
  bp: number;
}

const day = (iso: string) => Date.parse(`${iso}T00:00:00Z`) / 86_400_000;

/**
 * The cover by day as lines; a day without a cover, because nothing was owed, breaks the
 * line. One day alone stands at the end.
 */
export function curve(days: CoverDay[]): Point[][] {
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last) return [];
  const [begin, end] = [day(first.date), day(last.date)];
  const lines: Point[][] = [[]];
  for (const d of days) {
    if (d.cover.cover_bp === undefined) lines.push([]);
    else
      lines.at(-1)?.push({
        at: end > begin ? (day(d.date) - begin) / (end - begin) : 1,
        bp: d.cover.cover_bp,
      });
  }
  return lines.filter((l) => l.length);
}

/** The top of the scale: a step of 50 % above all that is drawn, at most ten times the debt. */
export function top(lines: Point[][], levels: number[]): number {
  const most = Math.max(10_000, ...levels, ...lines.flat().map((p) => p.bp));
  return Math.min(100_000, Math.ceil((most * 1.05) / 5_000) * 5_000);
}
