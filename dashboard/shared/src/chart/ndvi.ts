import type { CropReport, Growth } from '../api/types';

/** The columns of the chart, all as long as x; null draws nothing. */
export interface NdviColumns {
  /** Unix seconds, ascending, unique. */
  x: number[];
  /** Clear observations. */
  raw: (number | null)[];
  /** The smoothed curve where it can be trusted. */
  smooth: (number | null)[];
  /** The middle and the quartiles of the peers; all null where none are known. */
  peers: { low: (number | null)[]; middle: (number | null)[]; high: (number | null)[] };
  /** Spans of time without a clear view, in Unix seconds. */
  gaps: [number, number][];
}

/** Days beyond which the peers of two dates are not joined by a line. */
const PEER_DAYS = 40;

const seconds = (iso: string) => Math.round(new Date(iso).getTime() / 1000);

/** What the chart reads of a report; Go may write an empty list as null. */
interface Seen {
  observations: CropReport['observations'] | null;
  curve: CropReport['curve'] | null;
  growth?: { points: Growth['points'] | null } | undefined;
}

/** Lines observations and curve up on one axis; what lies in a gap stays empty. */
export function ndviColumns(report: Seen): NdviColumns {
  const raw = new Map<number, number>();
  for (const o of report.observations ?? []) if (o.valid) raw.set(seconds(o.date), o.ndvi);
  const smooth = new Map<number, number>();
  const gaps: [number, number][] = [];
  let open: [number, number] | undefined;
  for (const p of report.curve ?? []) {
    const at = seconds(p.date);
    if (!p.in_gap) {
      smooth.set(at, p.ndvi);
      open = undefined;
    } else if (open) open[1] = at;
    else {
      open = [at, at];
      gaps.push(open);
    }
  }
  const inGap = (at: number) => gaps.some(([a, b]) => at >= a && at <= b);
  const curve = [...smooth.entries()].sort((a, b) => a[0] - b[0]);
  const peers = [...(report.growth?.points ?? [])].sort(
    (a, b) => seconds(a.date) - seconds(b.date),
  );
  const x = [
    ...new Set([
      ...raw.keys(),
      ...smooth.keys(),
      ...gaps.flat(),
      ...peers.map((p) => seconds(p.date)),
    ]),
  ].sort((a, b) => a - b);
  const along = (value: 'low' | 'middle' | 'high') =>
    between(
      x,
      peers.map((p) => [seconds(p.date), p[value]]),
    );
  let next = 0;
  return {
    x,
    raw: x.map((at) => raw.get(at) ?? null),
    smooth: x.map((at) => {
      while (next < curve.length && (curve[next]?.[0] ?? 0) < at) next++;
      const here = curve[next];
      if (here?.[0] === at) return here[1];
      const before = curve[next - 1];
      if (!here || !before || inGap(at) || gaps.some(([a]) => a > before[0] && a < here[0]))
        return null;
      const part = (at - before[0]) / (here[0] - before[0]);
      return before[1] + part * (here[1] - before[1]);
    }),
    peers: { low: along('low'), middle: along('middle'), high: along('high') },
    gaps,
  };
}

/** Values at x on the straight line between two points, unless these lie too far apart. */
function between(x: number[], points: [at: number, value: number][]): (number | null)[] {
  let next = 0;
  return x.map((at) => {
    while (next < points.length && (points[next]?.[0] ?? 0) < at) next++;
    const here = points[next];
    if (here?.[0] === at) return here[1];
    const before = points[next - 1];
    if (!here || !before || here[0] - before[0] > PEER_DAYS * 86_400) return null;
    const part = (at - before[0]) / (here[0] - before[0]);
    return before[1] + part * (here[1] - before[1]);
  });
}
