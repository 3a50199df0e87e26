/** What the portal asks of the API, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type { DocKind, Upload } from '@furrow/shared/api/types';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

/** Kinds of data in the order in which trade makes them. */
export const KINDS: DocKind[] = ['suppliers', 'orders', 'deliveries', 'invoices', 'payments'];

/** The server takes no larger file. */
export const MAX_MIB = 20;

const uploads = ['uploads'] as const;
const suppliers = ['suppliers'] as const;
const upload = (id: string) => ['upload', id] as const;

/** Where the template of a kind is downloaded. */
export const templateUrl = (kind: DocKind) => `/api/v1/anchor/templates/${kind}.xlsx`;

export function useUploads() {
  return useQuery({
    queryKey: uploads,
    queryFn: () => body(api.GET('/api/v1/anchor/uploads')),
  });
}

export function useUpload(id: string) {
  return useQuery({
    queryKey: upload(id),
    queryFn: () => body(api.GET('/api/v1/anchor/uploads/{id}', { params: { path: { id } } })),
  });
}

export function useSuppliers() {
  return useQuery({
    queryKey: suppliers,
    queryFn: () => body(api.GET('/api/v1/anchor/suppliers')),
  });
}

/** A firm that sells to the enterprise, with their trade. */
export type Supplier = NonNullable<ReturnType<typeof useSuppliers>['data']>['items'][number];

/** Keeps what a change answered and asks again for what it may have changed. */
function useKeep() {
  const client = useQueryClient();
  return (u: Upload) => {
    client.setQueryData(upload(u.id), u);
    void client.invalidateQueries({ queryKey: uploads });
    void client.invalidateQueries({ queryKey: suppliers });
  };
}

/** Sends a file to be checked: nothing is written by it. */
export function useCheck() {
  return useMutation({
    onSuccess: useKeep(),
    mutationFn: ({ kind, file }: { kind: DocKind; file: File }) =>
      body(
        api.POST('/api/v1/anchor/uploads', {
          // The description of the API calls a file a string of bytes.
          body: { kind, file: file as unknown as string },
          bodySerializer: () => {
            const form = new FormData();
            form.set('kind', kind);
            form.set('file', file, file.name);
            return form;
          },
        }),
      ),
  });
}

export function useCommit(id: string) {
  return useMutation({
    onSuccess: useKeep(),
    mutationFn: (skipBad: boolean) =>
      body(
        api.POST('/api/v1/anchor/uploads/{id}/commit', {
          params: { path: { id } },
          body: { skip_bad: skipBad },
        }),
      ),
  });
}

export function useUndo(id: string) {
  return useMutation({
    onSuccess: useKeep(),
    mutationFn: () =>
      body(api.POST('/api/v1/anchor/uploads/{id}/undo', { params: { path: { id } } })),
  });
}
