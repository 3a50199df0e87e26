import type { PayDifference } from '@furrow/shared/api/types';

const rank = (d: PayDifference) => ['open', 'proposed', 'resolved'].indexOf(d.state);

/** Differences by kind: kinds with something open first, and in each what is open first. */
export function byKind(differences: PayDifference[]): [string, PayDifference[]][] {
  const kinds = new Map<string, PayDifference[]>();
  for (const d of [...differences].sort((a, b) => rank(a) - rank(b)))
    kinds.set(d.kind, [...(kinds.get(d.kind) ?? []), d]);
  return [...kinds];
}
