import { api, body, idempotencyKey } from '@furrow/shared/api/client';
import type { OfficerCollateralAct } from '@furrow/shared/api/types';
import { addTexts } from '@furrow/shared/i18n';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { byId, given, officer, useDeed, useList } from '../pieces/query';

addTexts(import.meta.glob('../locales/*/collateral.json', { eager: true, import: 'default' }));

/** What stands behind loans, newest first: open, called, or all. */
export const useCollaterals = (show: string) =>
  useList(['collaterals', show], (before) =>
    body(
      api.GET(`${officer}/collateral`, {
        params: {
          query: given({
            limit: 50,
            called: show === 'called',
            open: show !== 'called' && show !== 'all',
            before,
          }),
        },
      }),
    ),
  );

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

export const ACTS = [
  'pledge',
  'value',
  'release',
  'substitute',
  'sale',
  'realise',
  'loss',
  'file',
] as const;
export type Act = (typeof ACTS)[number];

/** Things of the borrower that could be pledged, by name. */
export function useOffers(id: string, kind: string) {
  return useQuery({
    queryKey: ['collateral-offers', id, kind],
    enabled: kind === 'crop' || kind === 'animal' || kind === 'receivable',
    queryFn: async () =>
      (
        await body(
          api.GET(`${officer}/applications/{id}/collateral/offers`, {
            params: { path: { id }, query: { kind: kind as 'crop' | 'animal' | 'receivable' } },
          }),
        )
      ).items ?? [],
  });
}

/** Does something with what is pledged, or proposes it where a second person must agree. */
export const useAct = (id: string) =>
  useDeed(({ act, key, sent }: { act: Act; key: string; sent: OfficerCollateralAct }) =>
    body(
      api.POST(`${officer}/applications/{id}/collateral/${act}`, {
        params: { path: { id }, header: { 'Idempotency-Key': key } },
        body: sent,
      }),
    ),
  );

/** Acts that wait for a second person, on all loans. */
export function useProposals() {
  return useQuery({
    queryKey: ['collateral-proposals'],
    queryFn: async () => (await body(api.GET(`${officer}/collateral-proposals`))).items ?? [],
  });
}

export const useDecide = () =>
  useDeed(async ({ id, note }: { id: string; note?: string }): Promise<void> => {
    if (note === undefined)
      await body(api.POST(`${officer}/collateral-proposals/{id}/agree`, byId(id)));
    else
      await body(
        api.POST(`${officer}/collateral-proposals/{id}/decline`, { ...byId(id), body: { note } }),
      );
  });

export const newKey = idempotencyKey;
