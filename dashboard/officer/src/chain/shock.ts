import type { Danger, Hit } from '@furrow/shared/api/types';

/** The names that the paths of a report tell, by id. */
export function namesOf(hits: Hit[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const h of hits) {
    if (h.name) names.set(h.firm_id, h.name);
    h.cause.path.forEach((id, i) => {
      const name = h.path_names[i];
      if (name) names.set(id, name);
    });
  }
  return names;
}

/** How many firms the loans are of: each gets one alert. */
export const firmsOf = (loans: Danger[]): number => new Set(loans.map((d) => d.firm_id)).size;

/** A part of the output from an address, in steps of 5 %: 1 when there is none. */
export function partOf(text: string): number {
  const part = Number(text);
  if (!text || !Number.isFinite(part)) return 1;
  return Math.min(1, Math.max(0.05, Math.round(part * 20) / 20));
}
