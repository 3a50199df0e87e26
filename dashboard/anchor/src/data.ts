/** What the portal asks of the API, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type { AnchorSupplier, DocKind, Upload } from '@furrow/shared/api/types';
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';

/** Kinds of data in the order in which trade makes them. */
export const KINDS: DocKind[] = [
  'suppliers',
  'contracts',
  'orders',
  'deliveries',
  'invoices',
  'payments',
  'confirmations',
];

/** The server takes no larger files, in MiB by the end of their names. */
export const MAX_MIB = { xlsx: 128, csv: 256 } as const;

/** How often a page looks at an upload that is being worked on, in milliseconds. */
const LOOK = 1000;
/** The same for the list of all uploads. */
const LOOK_ALL = 3000;

/** Whether the server is still at work on an upload. */
export const busy = (u: Upload) => u.state === 'checking' || u.state === 'committing';

const uploads = ['uploads'] as const;
const suppliers = ['suppliers'] as const;
const upload = (id: string) => ['upload', id] as const;

/** Where the template of a kind is downloaded. */
export const templateUrl = (kind: DocKind) => `/api/v1/anchor/templates/${kind}.xlsx`;

/** All uploads page by page, newest first; looked at again while one is being worked on. */
export function useUploads() {
  return useInfiniteQuery({
    queryKey: uploads,
    initialPageParam: '',
    queryFn: ({ pageParam: before }) =>
      body(
        api.GET('/api/v1/anchor/uploads', {
          params: { query: { limit: 50, ...(before ? { before } : {}) } },
        }),
      ),
    getNextPageParam: (last) => last.next || undefined,
    select: (data) => data.pages.flatMap((page) => page.items ?? []),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items?.some(busy)) ? LOOK_ALL : false,
  });
}

/** One upload, looked at again while it is being worked on. */
export function useUpload(id: string) {
  return useQuery({
    queryKey: upload(id),
    enabled: id !== '',
    queryFn: () => body(api.GET('/api/v1/anchor/uploads/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data && busy(state.data) ? LOOK : false),
  });
}

/** The workbook of the bad rows of an upload, with what is wrong in the reader's language. */
export function useErrorFile(id: string) {
  return useMutation({
    mutationFn: () =>
      body(
        api.GET('/api/v1/anchor/uploads/{id}/errors', {
          params: { path: { id } },
          parseAs: 'blob',
        }),
      ) as Promise<Blob>,
  });
}

/** Asks again for all that an upload may have changed. */
export function useRefresh() {
  const client = useQueryClient();
  return useCallback(() => {
    void client.invalidateQueries({ queryKey: uploads });
    void client.invalidateQueries({ queryKey: suppliers });
  }, [client]);
}

/** Orders of the list of suppliers, the usual one first. */
export const SORTS = ['invoiced', 'name', 'tenure'] as const;
export type Sort = (typeof SORTS)[number];

/** Suppliers page by page, with where each stands. */
export function useSuppliers(q: string, sort: Sort) {
  return useInfiniteQuery({
    queryKey: [...suppliers, q, sort],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam: after }) =>
      body(
        api.GET('/api/v1/anchor/suppliers', {
          params: { query: { q, sort, limit: 50, ...(after ? { after } : {}) } },
        }),
      ),
    getNextPageParam: (last) => last.next || undefined,
    select: ({ pages }) => ({
      items: pages.flatMap((page) => page.items ?? []),
      total: pages[0]?.total ?? 0,
      invoiced: pages[0]?.invoiced ?? 0,
    }),
  });
}

/** All suppliers that a search finds, for a file: without where each stands. */
export function useAllSuppliers() {
  return useMutation({
    mutationFn: async ({ q, sort }: { q: string; sort: Sort }) => {
      const all: Supplier[] = [];
      for (let after = ''; ; ) {
        const page = await body(
          api.GET('/api/v1/anchor/suppliers', {
            params: {
              query: { q, sort, standing: false, limit: 1000, ...(after ? { after } : {}) },
            },
          }),
        );
        all.push(...(page.items ?? []));
        if (!page.next) return all;
        after = page.next;
      }
    },
  });
}

/** A few suppliers to choose from: those whose name or code has what is typed. */
export function useSupplierNames(q: string) {
  return useQuery({
    queryKey: [...suppliers, 'names', q],
    placeholderData: keepPreviousData,
    queryFn: async () =>
      (await body(api.GET('/api/v1/anchor/supplier-names', { params: { query: { q } } }))).items ??
      [],
  });
}

/** What a supplier could be owed on: its documents that are not paid or used up. */
export function usePayables(id: string | undefined) {
  return useQuery({
    queryKey: [...suppliers, 'payables', id],
    enabled: !!id,
    queryFn: async () =>
      (
        await body(
          api.GET('/api/v1/anchor/suppliers/{id}/payables', { params: { path: { id: id ?? '' } } }),
        )
      ).items ?? [],
  });
}

/** A firm that sells to the enterprise, with their trade. */
export type Supplier = AnchorSupplier;

/** A text that is typed, once the typing pauses. */
export function useSettled(text: string, pause = 250) {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), pause);
    return () => clearTimeout(timer);
  }, [text, pause]);
  return settled;
}

/** Keeps what a change answered and asks again for what it may have changed. */
function useKeep() {
  const client = useQueryClient();
  const refresh = useRefresh();
  return (u: Upload) => {
    client.setQueryData(upload(u.id), u);
    refresh();
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
