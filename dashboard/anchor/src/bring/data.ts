/** What the pages that bring firms ask of the API, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type { Agreement, Fen, Product, Wording } from '@furrow/shared/api/types';
import { type Asked, asked } from '@furrow/shared/consent';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useKey } from '../key';

const anchor = '/api/v1/anchor';

/** Which side of the trade a firm is on. */
export type Side = 'supplier' | 'dealer';

/** A few firms to choose from: those whose name or code has what is typed. */
export function usePartnerNames(side: Side, q: string) {
  return useQuery({
    queryKey: ['partner-names', side, q],
    placeholderData: keepPreviousData,
    queryFn: async () =>
      (
        await body(
          api.GET(`${anchor}/supplier-names`, {
            params: { query: { q, buyers: side === 'dealer' } },
          }),
        )
      ).items ?? [],
  });
}

/** One application as the form has it. */
export interface Application {
  firm_id: string;
  product: string;
  asked: Fen;
  term_months: number;
  purpose?: string;
  consents: Agreement[];
}

export function useBring() {
  const key = useKey();
  return useMutation({
    mutationFn: (application: Application) =>
      body(
        api.POST(`${anchor}/applications`, {
          params: { header: key(application) },
          body: application,
        }),
      ),
  });
}

/** Where the template of a table is downloaded. */
export const tableTemplate = `${anchor}/intake/template.xlsx`;

/** Sends a table: with `dry` it is only looked at. */
export function useTable() {
  return useMutation({
    mutationFn: ({ file, dry, skip }: { file: File; dry: boolean; skip: boolean }) =>
      body(
        api.POST(`${anchor}/intake`, {
          // The description of the API calls a file a string of bytes.
          body: { dry_run: dry, skip_bad: skip, file: file as unknown as string },
          bodySerializer: () => {
            const form = new FormData();
            form.set('dry_run', String(dry));
            form.set('skip_bad', String(skip));
            form.set('file', file, file.name);
            return form;
          },
        }),
      ),
  });
}

/** The parts of the evidence that a firm must open for a product, and may. */
export function partsOf(product: Product, wordings: Wording[]): { must: string[]; may: string[] } {
  const of: Asked = asked(product, wordings);
  return { must: of.together.map((w) => w.part), may: of.apart.map((w) => w.part) };
}

/**
 * What a firm agreed to on a paper of a day: the parts that its product needs and those of
 * `apart` that stand on it. The words are the Chinese ones, which firms sign.
 */
export function onPaper(
  product: Product,
  wordings: Wording[],
  apart: string[],
  paper: { proof: string; day: string },
): Agreement[] {
  const of = asked(product, wordings);
  return [...of.together, ...of.apart.filter((w) => apart.includes(w.part))].flatMap((w) => {
    const text = w.hash['zh-CN'];
    // The day begins in China.
    const at = new Date(`${paper.day}T00:00:00+08:00`).toISOString();
    return text ? [{ part: w.part, text, proof: paper.proof, at }] : [];
  });
}
