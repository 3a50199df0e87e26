import type { Alert, HerdReport } from '@furrow/shared/api/types';

/** What speaks against tags, and where the report counts it. */
const matters = [
  ['two_tags', 'two_tags'],
  ['two_places', 'two_places'],
  ['carrier', 'carrier'],
  ['impostor', 'impostors'],
  ['tag_off', 'tag_off'],
  ['silence', 'silent'],
] as const;

/** What speaks of the animals' health. */
const health = [
  ['stillness', 'still'],
  ['fever', 'fever'],
  ['idleness', 'idle'],
  ['oestrus', 'oestrus'],
] as const;

export interface Matter {
  kind: string;
  /** How many the report counts. */
  n: number;
  /** Open alerts of it, one an animal. */
  alerts: Alert[];
}

const open = (alerts: Alert[], kind: string) =>
  alerts.filter((a) => a.kind === kind && !a.closed_at);

/** What is counted or open against the tags of a herd, the gravest first. */
export const integrityOf = (report: HerdReport, alerts: Alert[]): Matter[] =>
  matters
    .map(([kind, field]) => ({ kind, n: report.integrity[field], alerts: open(alerts, kind) }))
    .filter((m) => m.n > 0 || m.alerts.length > 0)
    .map((m) => ({ ...m, n: Math.max(m.n, m.alerts.length) }));

/** The same of the animals' health. */
export const healthOf = (report: HerdReport, alerts: Alert[]): Matter[] =>
  health
    .map(([kind, field]) => ({ kind, n: report.health[field], alerts: open(alerts, kind) }))
    .filter((m) => m.n > 0 || m.alerts.length > 0)
    .map((m) => ({ ...m, n: Math.max(m.n, m.alerts.length) }));

/** Animals that something is the matter with; oestrus is none. */
export const ailing = (matters: Matter[]): number =>
  matters.reduce((sum, m) => sum + (m.kind === 'oestrus' ? 0 : m.n), 0);

/** Species that are kept and watched by the house, not by the animal. */
export const byHouse = (species: string) => species === 'broiler' || species === 'layer';
