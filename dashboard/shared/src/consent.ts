/** What an applicant is asked to agree to for a product. */
import type { Product, Wording } from './api/types';

/** The consent that opens a part of the evidence: a forecast of sales is made of trade. */
const opens = (part: string) => (part === 'turnover' ? 'standing' : part);

/** What a product reads when its file does not say: what its subject tells. */
const OF_SUBJECT: Record<string, string> = { plot: 'crop', herd: 'herd', firm: 'standing' };

export interface Asked {
  /** Agreed to together; nothing is sent without them. */
  together: Wording[];
  /** Each by itself; one may apply without. */
  apart: Wording[];
}

export function asked(product: Product, wordings: Wording[]): Asked {
  const reads = product.evidence?.map((n) => n.part) ?? [OF_SUBJECT[product.subject_kind] ?? ''];
  const parts = new Set(['decision', ...reads.map(opens)]);
  const ours = wordings.filter((w) => w.purpose === 'credit_decision' && parts.has(w.part));
  return {
    together: ours.filter((w) => !w.separate),
    apart: ours.filter((w) => w.separate),
  };
}

/** The answers that go with an application, in the words of the language that was read. */
export function answers(of: Asked, apart: string[], language: string) {
  return [...of.together, ...of.apart.filter((w) => apart.includes(w.part))].flatMap((w) => {
    const text = w.hash[language];
    return text ? [{ part: w.part, text }] : [];
  });
}
