import type { Alert } from '@furrow/shared/api/types';

const rooms: Record<string, string> = {
  plot: 'plots',
  herd: 'herds',
  firm: 'firms',
  loan: 'loans',
};

/** The page of what was borrowed on, or of what an alert is about. */
export function subjectPath(kind: string, id: string): string {
  return `/${rooms[kind] ?? kind}/${encodeURIComponent(id)}`;
}

/** Alerts of a herd whose item is one of its animals. */
const ofAnimals = new Set([
  'fence_exit',
  'stillness',
  'tag_off',
  'silence',
  'carrier',
  'fever',
  'oestrus',
  'idleness',
  'two_tags',
  'two_places',
]);

/** The page of what an alert is about: the animal, where it is one. The house has none. */
export function alertPath(a: Pick<Alert, 'kind' | 'item' | 'subject_kind' | 'subject_id'>) {
  if (!rooms[a.subject_kind]) return undefined;
  const path = subjectPath(a.subject_kind, a.subject_id);
  if (a.subject_kind === 'herd' && a.item && ofAnimals.has(a.kind))
    return `${path}/animals/${encodeURIComponent(a.item)}`;
  return path;
}
