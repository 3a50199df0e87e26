import { api, body } from '@furrow/shared/api/client';
import type { OfficerSellerTerms } from '@furrow/shared/api/types';
import { addTexts } from '@furrow/shared/i18n';
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';

addTexts(import.meta.glob('../locales/*/purchase.json', { eager: true, import: 'default' }));

const officer = '/api/v1/officer';
const byId = (id: string) => ({ params: { path: { id } } });

/** A list that is read page by page; `read` takes the cursor, "" for the first. */
function useList<T>(
  key: unknown[],
  read: (before: string) => Promise<{ items: T[] | null; next?: string }>,
) {
  return useInfiniteQuery({
    queryKey: key,
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => read(pageParam),
    getNextPageParam: (last) => last.next || undefined,
    select: (data) => data.pages.flatMap((page) => page.items ?? []),
  });
}

export type SellerState = 'proposed' | 'enrolled' | 'suspended';

export const useSellers = (state: string) =>
  useList(['sellers', state], (before) =>
    body(
      api.GET(`${officer}/sellers`, {
        params: {
          query: {
            limit: 50,
            ...(state ? { state: state as SellerState } : {}),
            ...(before ? { before } : {}),
          },
        },
      }),
    ),
  );

export const usePurchases = () =>
  useList(['purchases'], (before) =>
    body(
      api.GET(`${officer}/purchases`, {
        params: { query: { limit: 50, ...(before ? { before } : {}) } },
      }),
    ),
  );

export const usePayments = (show: string) =>
  useList(['payments', show], (before) =>
    body(
      api.GET(`${officer}/payments`, {
        params: {
          query: {
            limit: 50,
            ...(show === 'disputed'
              ? { disputed: true }
              : show
                ? { outcome: show as 'settled' | 'failed' | 'unknown' }
                : {}),
            ...(before ? { before } : {}),
          },
        },
      }),
    ),
  );

export const useStatements = () =>
  useList(['statements'], (before) =>
    body(
      api.GET(`${officer}/statements`, {
        params: { query: { limit: 31, ...(before ? { before } : {}) } },
      }),
    ),
  );

export function useStatement(day: string) {
  return useQuery({
    queryKey: ['statement', day],
    queryFn: () => body(api.GET(`${officer}/statements/{day}`, { params: { path: { day } } })),
  });
}

export function useTrace(loan: string) {
  return useQuery({
    queryKey: ['trace', loan],
    queryFn: () => body(api.GET(`${officer}/loans/{id}/trace`, byId(loan))),
  });
}

export function usePayment(id: string) {
  return useQuery({
    queryKey: ['payment', id],
    queryFn: () => body(api.GET(`${officer}/payments/{id}`, byId(id))),
  });
}

/** A change after which everything is read again. */
function useDeed<T>(act: (deed: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => client.invalidateQueries() });
}

export const useEnrol = () =>
  useDeed((sent: OfficerSellerTerms & { firm_id: string }) =>
    body(api.POST(`${officer}/sellers`, { body: sent })),
  );

export const useSellerDeed = () =>
  useDeed(
    ({
      id,
      deed,
      reason = '',
    }: {
      id: string;
      deed: 'approve' | 'suspend' | 'reinstate';
      reason?: string;
    }) =>
      deed === 'suspend'
        ? body(api.POST(`${officer}/sellers/{id}/suspend`, { ...byId(id), body: { reason } }))
        : body(api.POST(`${officer}/sellers/{id}/${deed}`, byId(id))),
  );

export const useAsk = () =>
  useDeed((id: string) => body(api.POST(`${officer}/payments/{id}/ask`, byId(id))));

export const useCompare = () =>
  useDeed(({ day, file }: { day: string; file: File }) =>
    body(
      api.POST(`${officer}/statements`, {
        body: { day, file: '' },
        bodySerializer: () => {
          const form = new FormData();
          form.set('day', day);
          form.set('file', file, file.name);
          return form;
        },
      }),
    ),
  );

export type Resolution =
  | { id: string; deed: 'explain' | 'book'; note: string }
  | { id: string; deed: 'confirm' | 'reject' };

export const useResolve = (day: string) =>
  useDeed((what: Resolution) => {
    const params = { path: { day, id: what.id } };
    const one = `${officer}/statements/{day}/differences/{id}` as const;
    return 'note' in what
      ? body(api.POST(`${one}/resolve`, { params, body: { action: what.deed, note: what.note } }))
      : body(api.POST(`${one}/${what.deed}`, { params }));
  });
