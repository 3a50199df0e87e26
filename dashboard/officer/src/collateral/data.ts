import { api, body, idempotencyKey } from '@furrow/shared/api/client';
import type { OfficerCollateralAct } from '@furrow/shared/api/types';
import { addTexts } from '@furrow/shared/i18n';
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';

addTexts(import.meta.glob('../locales/*/collateral.json', { eager: true, import: 'default' }));

const officer = '/api/v1/officer';
const byId = (id: string) => ({ params: { path: { id } } });

/** What stands behind loans, newest first: open, called, or all. */
export function useCollaterals(show: string) {
  return useInfiniteQuery({
    queryKey: ['collaterals', show],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam: before }) =>
      body(
        api.GET(`${officer}/collateral`, {
          params: {
            query: {
              limit: 50,
              ...(show === 'called' ? { called: true } : show === 'all' ? {} : { open: true }),
              ...(before ? { before } : {}),
            },
          },
        }),
      ),
    getNextPageParam: (last) => last.next || undefined,
    select: (data) => data.pages.flatMap((page) => page.items ?? []),
  });
}

export function useCollateral(id: string) {
  return useQuery({
    queryKey: ['collateral', id],
    queryFn: () => body(api.GET(`${officer}/applications/{id}/collateral`, byId(id))),
  });
}

export function usePast(id: string) {
  return useQuery({
    queryKey: ['collateral-events', id],
    queryFn: async () =>
      (await body(api.GET(`${officer}/applications/{id}/collateral/events`, byId(id)))).items ?? [],
  });
}

/** What must be repaid before some things may leave, and what repaying `pay` frees. */
export function usePlan(id: string, assets: string[], pay: number) {
  return useQuery({
    queryKey: ['collateral-plan', id, assets, pay],
    enabled: assets.length > 0 || pay > 0,
    placeholderData: keepPreviousData,
    queryFn: () =>
      body(
        api.GET(`${officer}/applications/{id}/collateral/plan`, {
          params: { path: { id }, query: { pay, ...(assets.length ? { assets } : {}) } },
          querySerializer: { array: { style: 'form', explode: false } },
        }),
      ),
  });
}

export const ACTS = ['pledge', 'value', 'release', 'substitute'] as const;
export type Act = (typeof ACTS)[number];

/** Does something with what is pledged, or proposes it where a second person must agree. */
export function useAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ act, key, sent }: { act: Act; key: string; sent: OfficerCollateralAct }) =>
      body(
        api.POST(`${officer}/applications/{id}/collateral/${act}`, {
          params: { path: { id }, header: { 'Idempotency-Key': key } },
          body: sent,
        }),
      ),
    onSettled: () => client.invalidateQueries(),
  });
}

/** Acts that wait for a second person, on all loans. */
export function useProposals() {
  return useQuery({
    queryKey: ['collateral-proposals'],
    queryFn: async () => (await body(api.GET(`${officer}/collateral-proposals`))).items ?? [],
  });
}

export function useDecide() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, note }: { id: string; note?: string }): Promise<void> => {
      if (note === undefined)
        await body(api.POST(`${officer}/collateral-proposals/{id}/agree`, byId(id)));
      else
        await body(
          api.POST(`${officer}/collateral-proposals/{id}/decline`, {
            ...byId(id),
            body: { note },
          }),
        );
    },
    onSettled: () => client.invalidateQueries(),
  });
}

export const newKey = idempotencyKey;
