import type { Instalment, LoanTransaction } from '@furrow/shared/api/types';

export interface Point {
  date: string;
  fen: number;
}

/** The principal that the schedule leaves after each row, from the drawdown on. */
export function promised(drawnOn: string, principal: number, rows: Instalment[]): Point[] {
  const points = [...rows]
    .sort((a, b) => a.due_on.localeCompare(b.due_on) || a.nr - b.nr)
    .map((row) => ({ date: row.due_on, fen: row.balance }));
  return [{ date: drawnOn, fen: principal }, ...points];
}

/** The principal that was really out after each transaction, up to a day. */
export function real(transactions: LoanTransaction[], today: string): Point[] {
  const points: Point[] = [];
  for (const tx of transactions) {
    if (tx.reversed || tx.kind === 'accrue') continue;
    const last = points.at(-1);
    if (last?.date === tx.date) last.fen = tx.balance;
    else if (last?.fen !== tx.balance) points.push({ date: tx.date, fen: tx.balance });
  }
  const last = points.at(-1);
  if (last && today > last.date) points.push({ date: today, fen: last.fen });
  return points;
}

/** An SVG path that goes level until a date and then down or up at once. */
export function steps(points: Point[], x: (date: string) => number, y: (fen: number) => number) {
  return points
    .map((p, i) => {
      const at = `${x(p.date).toFixed(1)} ${y(p.fen).toFixed(1)}`;
      return i === 0 ? `M${at}` : `H${x(p.date).toFixed(1)}V${y(p.fen).toFixed(1)}`;
    })
    .join('');
}
