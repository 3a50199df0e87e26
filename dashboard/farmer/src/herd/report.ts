/** What can be reported of an animal, and what the server is told of it. */
import type { Animal, FarmerAnimalEvent } from '@furrow/shared/api/types';

export const reports = ['birth', 'death', 'departure', 'move', 'tag', 'number'] as const;
export type Report = (typeof reports)[number];

/** What can befall this animal now; `pens` is how many pens its herd has. */
export function reportsOf(a: Animal, pens: number): Report[] {
  if (a.status === 'dead' || a.status === 'off_farm') return [];
  return reports.filter((r) => {
    if (r === 'birth') return a.sex !== 'm' && a.sex !== 'c';
    if (r === 'move') return pens > 0;
    return true;
  });
}

/** Reasons that the server takes, the commonest first. */
export const reasons: Partial<Record<Report, readonly string[]>> = {
  death: [
    'disease',
    'parturition',
    'accident',
    'predator',
    'culled',
    'consumption',
    'missing',
    'unknown',
    'other',
  ],
  departure: ['sale', 'slaughter', 'move', 'theft', 'other'],
  tag: ['lost', 'broken', 'replaced', 'other'],
  number: ['lost', 'broken', 'replaced', 'other'],
};

/** What was filled into a form. */
export interface Filled {
  at: string;
  reason?: string;
  note?: string;
  /** Of a move: "" means out of every pen. */
  pen?: string;
  /** The tag it wears from now; "" means none. */
  tag?: string;
  code?: string;
}

/** The event that a filled form tells of an animal. */
export function eventOf(
  what: Exclude<Report, 'birth'>,
  form: Filled,
  a: Pick<Animal, 'tag_id' | 'identity'>,
): FarmerAnimalEvent {
  const common = {
    at: form.at,
    ...(form.reason ? { reason: form.reason } : {}),
    ...(form.note?.trim() ? { note: form.note.trim() } : {}),
  };
  switch (what) {
    case 'move':
      return { kind: 'move', ...common, ...(form.pen ? { pen_id: form.pen } : {}) };
    case 'tag':
      return form.tag
        ? { kind: 'tag_on', ...common, tag_id: form.tag }
        : { kind: 'tag_lost', ...common, ...(a.tag_id ? { tag_id: a.tag_id } : {}) };
    case 'number':
      return { kind: 'identified', ...common, identity: identityOf(form.code ?? '', a) };
    default:
      return { kind: what, ...common };
  }
}

/** A number as printed on an ear tag, of the scheme of the animal's own or its dam's. */
export const identityOf = (code: string, a: Pick<Animal, 'identity'>) => ({
  scheme: a.identity.scheme === 'iso-11784' ? a.identity.scheme : 'cn-67',
  code: code.normalize('NFKC').replace(/\s/g, ''),
});

/** Whether a number can be that of an ear tag at all; the server looks closer. */
export const isEarNumber = (typed: string) =>
  /^\d{15}$/.test(typed.normalize('NFKC').replace(/\s/g, ''));
