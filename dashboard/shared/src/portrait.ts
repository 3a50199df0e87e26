import type { CropReport, DateRange, Growth } from './api/types';
import type { Formats } from './format';

/** One sentence of a portrait: its key among the texts, and what fills it. */
export interface Sentence {
  key: string;
  values: Record<string, string | number>;
}

type Told = Pick<CropReport, 'phenology' | 'last_clear'> & { growth?: CropReport['growth'] };

const DAY = 86_400_000;

/** The greater of the two errors of a date, in days. */
export function errorDays(r: DateRange): number {
  const at = Date.parse(r.date);
  return Math.round(Math.max(at - Date.parse(r.from), Date.parse(r.to) - at) / DAY);
}

/** Go writes an unset time as year 1. */
const set = (iso: string | undefined): iso is string => !!iso && !iso.startsWith('0001-');

/**
 * The season of a plot in sentences, in the order of a year: sown, greatest, how it
 * stands on the last clear day, harvested. What was not seen is left out.
 */
export function portrait(report: Told, f: Formats): Sentence[] {
  const { sown, peak, stage, harvested } = report.phenology;
  const told: Sentence[] = [];
  const dated = (key: string, r: DateRange | undefined) => {
    if (!r || !set(r.date)) return;
    const days = errorDays(r);
    told.push({ key: days ? key : `${key}_sure`, values: { date: f.day(r.date), days } });
  };
  dated('sown', sown);
  if (set(peak)) told.push({ key: 'peak', values: { date: f.day(peak) } });
  if (stage && stage !== 'harvested' && set(report.last_clear))
    told.push({ key: `stage.${stage}`, values: { date: f.day(report.last_clear) } });
  dated('harvested', harvested);
  if (stage === 'harvested' && !harvested && set(report.last_clear))
    told.push({ key: 'stage.harvested', values: { date: f.day(report.last_clear) } });
  return told;
}

/** A grade of five with what it may be, given its error; undefined without a grade. */
export function grades(
  g: Growth | undefined,
): { grade: number; low: number; high: number } | undefined {
  if (!g || g.grade < 1 || g.grade > 5) return undefined;
  const low = g.grade_low >= 1 ? Math.min(g.grade_low, g.grade) : g.grade;
  const high = g.grade_high <= 5 ? Math.max(g.grade_high, g.grade) : g.grade;
  return { grade: g.grade, low, high };
}

/** The day of a scene by the looks of the report, or undefined. */
export function dayOf(report: Pick<CropReport, 'observations'>, scene: string | undefined) {
  return scene ? report.observations?.find((o) => o.scene === scene)?.date : undefined;
}
