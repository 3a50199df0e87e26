import { api, body, idempotencyKey } from '@furrow/shared/api/client';
import { addTexts } from '@furrow/shared/i18n';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { byId, given, officer, useList } from '../pieces/query';

addTexts(import.meta.glob('../locales/*/receivables.json', { eager: true, import: 'default' }));

export const STATES = ['proposed', 'confirmed', 'accepted', 'redeemed', 'cancelled'];

/** The receivables of all anchors, newest first. */
export const useReceivables = (state: string, obligor: string) =>
  useList(['receivables', { state, obligor }], (before) =>
    body(
      api.GET(`${officer}/receivables`, {
        params: {
          query: given({
            limit: 50,
            overdue: state === 'overdue',
            state: state && state !== 'overdue' ? [state] : undefined,
            obligor_id: obligor,
            before,
          }),
        },
      }),
    ),
  );

export function useReceivable(id: string) {
  return useQuery({
    queryKey: ['receivable', id],
    queryFn: () => body(api.GET(`${officer}/receivables/{id}`, byId(id))),
  });
}

export function useHistory(id: string) {
  return useQuery({
    queryKey: ['receivable-events', id],
    queryFn: async () =>
      (await body(api.GET(`${officer}/receivables/{id}/events`, byId(id)))).items ?? [],
  });
}

export function useExposures() {
  return useQuery({
    queryKey: ['exposures'],
    queryFn: async () => (await body(api.GET(`${officer}/exposures`))).items ?? [],
  });
}

/** Sets what an anchor may owe in all; undefined takes the limit away. */
export function useLimit() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, limit }: { id: string; limit: number | undefined }) =>
      body(
        api.POST(`${officer}/exposures/{id}/limit`, {
          ...byId(id),
          body: limit === undefined ? {} : { limit },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ['exposures'] }),
  });
}

/** What may be lent on the receivables of a firm. */
export function useBase(firm: string) {
  return useQuery({
    queryKey: ['borrowing-base', firm],
    enabled: !!firm,
    queryFn: () => body(api.GET(`${officer}/firms/{id}/borrowing-base`, byId(firm))),
  });
}

export type Act =
  | { act: 'pledge'; part_id: string; funder: string; ref: string; owed: number; note?: string }
  | { act: 'release'; part_id: string; note?: string }
  | { act: 'file'; part_id: string; registration: string }
  | { act: 'freeze'; part_id: string; note: string };

/** Does something with a part; the same key for each retry, so that it happens once. */
export function useAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, ...what }: Act & { key: string }) => {
      const params = { path: { id }, header: { 'Idempotency-Key': key } };
      switch (what.act) {
        case 'pledge': {
          const { act: _, ...sent } = what;
          return body(api.POST(`${officer}/receivables/{id}/pledge`, { params, body: sent }));
        }
        case 'release': {
          const { act: _, ...sent } = what;
          return body(api.POST(`${officer}/receivables/{id}/release`, { params, body: sent }));
        }
        case 'file': {
          const { act: _, ...sent } = what;
          return body(api.POST(`${officer}/receivables/{id}/file`, { params, body: sent }));
        }
        case 'freeze': {
          const { act: _, ...sent } = what;
          return body(api.POST(`${officer}/receivables/{id}/freeze`, { params, body: sent }));
        }
      }
    },
    onSettled: () => client.invalidateQueries(),
  });
}

export const newKey = idempotencyKey;
