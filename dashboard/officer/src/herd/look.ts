import type { AnimalState } from '@furrow/shared/api/types';
import type { Dot } from '@furrow/shared/map/geometry';

const statusColors: Record<string, string> = {
  inside: '#2f7d43',
  outside: '#c0391f',
  unverified: '#c98a12',
  silent: '#6d7278',
  never_entered: '#2f5f87',
  no_data: '#a9a69a',
};

const signColors: Record<string, string> = {
  fever: '#d81b60',
  oestrus: '#8e44ad',
  idleness: '#b26a00',
  carrier: '#111111',
  two_tags: '#111111',
  two_places: '#111111',
};

export const FENCE = '#7a5c2e';
export const PEN = '#2f5f87';

export const colorOf = (status: string) => statusColors[status] ?? '#a9a69a';
export const ringOf = (sign: string) => signColors[sign] ?? '#111111';

/** The dot of an animal; none of one that was never placed. Its first sign rings it. */
export function dotOf(s: AnimalState): Dot | undefined {
  if (s.lon === undefined || s.lat === undefined) return undefined;
  const dot: Dot = { id: s.animal_id, at: [s.lon, s.lat], color: colorOf(s.status) };
  const [sign] = s.signs ?? [];
  if (sign) dot.ring = ringOf(sign);
  return dot;
}
