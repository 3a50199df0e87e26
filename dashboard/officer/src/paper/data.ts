import { api, body, idempotencyKey } from '@furrow/shared/api/client';
import type { Guarantor } from '@furrow/shared/api/types';
import { addTexts } from '@furrow/shared/i18n';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { byId, officer } from '../pieces/query';

import '../loan/loan.css';

addTexts(import.meta.glob('../locales/*/paper.json', { eager: true, import: 'default' }));

export const contractFile = (id: string) => `${officer}/applications/${id}/contract.pdf`;
export const templateFile = `${officer}/intake/template.xlsx`;
export const newKey = idempotencyKey;

/** The evidence of the signatures of a contract. */
export function useSignatures(id: string) {
  return useQuery({
    queryKey: ['signatures', id],
    queryFn: async () =>
      (await body(api.GET(`${officer}/applications/{id}/signatures`, byId(id)))).items ?? [],
  });
}

/** Whether a PDF is the contract that was signed; without a file, the one that is kept. */
export function useVerify(id = '') {
  return useMutation({
    mutationFn: (file: File | undefined) =>
      body(
        api.POST(`${officer}/contracts/verify`, {
          body: { file: '', ...(id ? { application_id: id } : {}) },
          bodySerializer: () => {
            const form = new FormData();
            if (id) form.set('application_id', id);
            if (file) form.set('file', file, file.name);
            return form;
          },
        }),
      ),
  });
}

/** Names who answers for a loan besides its borrower. */
export function useSureties(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (list: Guarantor[]) =>
      body(
        api.POST(`${officer}/applications/{id}/guarantors`, {
          ...byId(id),
          body: { guarantors: list },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['application', id] }),
  });
}

/** Enters the letter of one who answers for a loan: for the words of its contract. */
export function useLetter(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ nr, proof }: { nr: number; proof: string }) => {
      const answer = await fetch(contractFile(id));
      const hash = answer.headers.get('Content-SHA256') ?? '';
      return body(
        api.POST(`${officer}/applications/{id}/guarantors/{nr}/sign`, {
          params: { path: { id, nr } },
          body: { hash, proof },
        }),
      );
    },
    onSuccess: () => client.invalidateQueries(),
  });
}

export interface Intake {
  file: File;
  dryRun: boolean;
  skipBad: boolean;
}

/** A table of applications: tried, or entered. */
export function useIntake() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ file, dryRun, skipBad }: Intake) =>
      body(
        api.POST(`${officer}/intake`, {
          body: { file: '', dry_run: dryRun, skip_bad: skipBad },
          bodySerializer: () => {
            const form = new FormData();
            form.set('file', file, file.name);
            form.set('dry_run', String(dryRun));
            form.set('skip_bad', String(skipBad));
            return form;
          },
        }),
      ),
    onSuccess: (report) => (report.dry_run ? undefined : client.invalidateQueries()),
  });
}

export interface Counter {
  key: string;
  subject: { kind: string; id: string };
  product: string;
  asked: number;
  term_months: number;
  purpose: string;
  consents: { part: string; text: string; proof: string; at: string }[];
  stated_on: string;
  reason: string;
}

/** Enters an application of a borrower from a paper. */
export function useCounter() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, subject, stated_on, reason, purpose, ...rest }: Counter) =>
      body(
        api.POST(`${officer}/applications`, {
          params: { header: { 'Idempotency-Key': key } },
          body: {
            ...rest,
            subject: subject as never,
            ...(purpose ? { purpose } : {}),
            ...(stated_on ? { stated_on } : {}),
            ...(reason ? { reason } : {}),
          },
        }),
      ),
    onSuccess: () => client.invalidateQueries(),
  });
}
