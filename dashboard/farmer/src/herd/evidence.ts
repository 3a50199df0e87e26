/** What of a herd counts, and in how many words what does not is told. */
import type { AnimalState, HerdReport } from '@furrow/shared/api/types';
import type { Dot } from '@furrow/shared/map/geometry';

/** Why animals do not count, with how many; `key` is a text under "cause". */
export interface Cause {
  key: string;
  heads: number;
  /** Whether single animals can be named for it. */
  named: boolean;
}

/** Why an animal does not count: "" of one that does. */
export function causeOf(state: Pick<AnimalState, 'status' | 'reason'>): string {
  return state.status === 'inside' ? '' : state.reason || state.status;
}

/**
 * Why a herd's verified animals are fewer than its registered ones, most heads first.
 * The heads add up to the difference: what no single animal explains is last, of tags
 * that share a body, and of tags that the counts do not support.
 */
export function causes(
  report: Pick<HerdReport, 'registered' | 'verified' | 'tagged'>,
  states: readonly AnimalState[],
): Cause[] {
  const heads = new Map<string, number>();
  for (const s of states) {
    const key = causeOf(s);
    if (key) heads.set(key, (heads.get(key) ?? 0) + 1);
  }
  const named = [...heads]
    .map(([key, n]): Cause => ({ key, heads: n, named: true }))
    .sort((a, b) => b.heads - a.heads || (a.key < b.key ? -1 : 1));
  const twins = report.registered - report.tagged - named.reduce((sum, c) => sum + c.heads, 0);
  const short = report.tagged - report.verified;
  return [
    ...named,
    ...(twins > 0 ? [{ key: 'two_tags', heads: twins, named: false }] : []),
    ...(short > 0 ? [{ key: 'counts_short', heads: short, named: false }] : []),
  ];
}

const colors: Record<string, string> = {
  inside: '#2f7d43',
  outside: '#c0391f',
  unverified: '#c98a12',
  never_entered: '#2f5f87',
};

/** The colour of an animal on the map. */
export const colorOf = (status: string) => colors[status] ?? '#6d7278';

/** The dots of the animals that were ever placed; those in trouble lie on top. */
export function dotsOf(states: readonly AnimalState[]): Dot[] {
  const dots: Dot[] = [];
  const rest: Dot[] = [];
  for (const s of states) {
    if (s.lon === undefined || s.lat === undefined) continue;
    const dot = { id: s.animal_id, at: [s.lon, s.lat], color: colorOf(s.status), label: s.code };
    (s.status === 'inside' ? rest : dots).push(dot);
  }
  return [...rest, ...dots];
}

/** States with what arrived live in their place; others than these are not taken in. */
export function freshened(states: AnimalState[], live: readonly AnimalState[]): AnimalState[] {
  const news = new Map(live.map((s) => [s.animal_id, s]));
  return states.map((s) => {
    const n = news.get(s.animal_id);
    return n && (n.last_heard ?? '') >= (s.last_heard ?? '') ? n : s;
  });
}
