import { api, body } from '@furrow/shared/api/client';
import type { UploadsLine } from '@furrow/shared/api/types';
import { addTexts } from '@furrow/shared/i18n';
import { useQuery } from '@tanstack/react-query';
import { byId, given, officer, useDeed, useList } from '../pieces/query';
import '../decision/texts';

addTexts(import.meta.glob('../locales/*/borrower.json', { eager: true, import: 'default' }));

/** Borrowers of whom something was uploaded, or the one with that id or login. */
export const useUploads = (q: string) =>
  useList<UploadsLine>(['uploads', { q }], (after) =>
    body(api.GET(`${officer}/histories`, { params: { query: given({ q, after, limit: 50 }) } })),
  );

export function useBorrower(id: string) {
  return useQuery({
    queryKey: ['borrower', id],
    queryFn: () => body(api.GET(`${officer}/borrowers/{id}`, byId(id))),
  });
}

export type Kind = 'bureau' | 'bank';

/** A table of bureau reports or months of accounts: tried, or kept. */
export function useUpload() {
  return useDeed(({ file, kind, dryRun }: { file: File; kind: Kind; dryRun: boolean }) =>
    body(
      api.POST(`${officer}/histories`, {
        body: { file: '', kind, dry_run: dryRun },
        bodySerializer: () => {
          const form = new FormData();
          form.set('kind', kind);
          form.set('dry_run', String(dryRun));
          form.set('file', file, file.name);
          return form;
        },
      }),
    ),
  );
}
