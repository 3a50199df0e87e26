import type { Position } from '@furrow/shared/api/types';

/** What the charts read of a timeline; Go may write an empty list as null. */
export interface Told {
  from: string;
  to: string;
  step_s: number;
  measures: { name: string; bins: { at: string; mean: number; n: number }[] | null }[] | null;
}

export const spans = ['day', 'week', 'month'] as const;
export type Span = (typeof spans)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The bank's days begin at midnight of UTC+8. */
const OFFSET = 8 * HOUR;
const lengths: Record<Span, { days: number; step: number; bar: number }> = {
  day: { days: 1, step: 600, bar: 3600 },
  week: { days: 7, step: 3600, bar: 86_400 },
  month: { days: 30, step: 14_400, bar: 86_400 },
};

/** Seconds that one bar of behaviour sums up. */
export const barOf = (span: Span) => lengths[span].bar;

/**
 * What to ask for: whole hours of the last day, or whole days of the bank's clock with
 * today as the last one. It changes every five minutes, so that what is asked can be kept.
 */
export function asked(span: Span, now: number): { from: string; to: string; step_s: number } {
  const to = Math.ceil(now / (HOUR / 12)) * (HOUR / 12);
  const { days, step } = lengths[span];
  const from =
    span === 'day'
      ? Math.floor(now / HOUR) * HOUR - 23 * HOUR
      : Math.floor((now + OFFSET) / DAY) * DAY - OFFSET - (days - 1) * DAY;
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), step_s: step };
}

/** The means of some measures on one axis of steps, in seconds; null where nothing was heard. */
export function means(t: Told, names: string[]): { x: number[]; y: (number | null)[][] } {
  const from = Date.parse(t.from) / 1000;
  const n = Math.ceil((Date.parse(t.to) / 1000 - from) / t.step_s);
  const x = Array.from({ length: n }, (_, i) => from + i * t.step_s);
  const y = names.map((name) => {
    const out: (number | null)[] = x.map(() => null);
    for (const b of t.measures?.find((m) => m.name === name)?.bins ?? []) {
      const i = Math.round((Date.parse(b.at) / 1000 - from) / t.step_s);
      if (i >= 0 && i < n) out[i] = b.mean;
    }
    return out;
  });
  return { x, y };
}

/** What an animal does, as its tag tells it. */
export const deeds = ['lying_s', 'ruminating_s', 'grazing_s', 'walking_s'] as const;

/**
 * Hours of each deed in bars of so many seconds; null where nothing was told. What adds up
 * comes as the mean of a step and how many made it.
 */
export function hours(t: Told, bar: number): { x: number[]; y: (number | null)[][] } {
  const from = Date.parse(t.from) / 1000;
  const n = Math.ceil((Date.parse(t.to) / 1000 - from) / bar);
  const x = Array.from({ length: n }, (_, i) => from + i * bar);
  const y = deeds.map((name) => {
    const out: (number | null)[] = x.map(() => null);
    for (const b of t.measures?.find((m) => m.name === name)?.bins ?? []) {
      const i = Math.floor((Date.parse(b.at) / 1000 - from) / bar);
      if (i >= 0 && i < n) out[i] = (out[i] ?? 0) + (b.mean * b.n) / 3600;
    }
    return out;
  });
  return { x, y };
}

/** Each row on top of those before it; a bar with nothing in any row stays empty. */
export function stacked(rows: (number | null)[][]): (number | null)[][] {
  const sum = rows[0]?.map(() => 0) ?? [];
  const told = sum.map((_, i) => rows.some((r) => r[i] != null));
  return rows.map((row) =>
    row.map((v, i) => {
      sum[i] = (sum[i] ?? 0) + (v ?? 0);
      return told[i] ? (sum[i] ?? 0) : null;
    }),
  );
}

export interface Spot {
  at: string;
  lon: number;
  lat: number;
}

/** The way as lines, cut where nothing was heard for longer than `gap` milliseconds. */
export function ways(track: Spot[], gap = 30 * 60_000): Position[][] {
  const out: Position[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const s of track) {
    const at = Date.parse(s.at);
    if (at - last > gap) out.push([]);
    out.at(-1)?.push([s.lon, s.lat]);
    last = at;
  }
  return out.filter((w) => w.length > 1);
}

/** Daily gain in kg since the weighing before; none of the first and within a day. */
export function gains(weighings: { at: string; kg: number }[]): (number | undefined)[] {
  return weighings.map((w, i) => {
    const before = weighings[i - 1];
    if (!before) return undefined;
    const days = (Date.parse(w.at) - Date.parse(before.at)) / DAY;
    return days >= 1 ? (w.kg - before.kg) / days : undefined;
  });
}
