import { api, body, idempotencyKey } from '@furrow/shared/api/client';
import { addTexts } from '@furrow/shared/i18n';
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { byId, officer, useDeed } from '../pieces/query';

addTexts(import.meta.glob('../locales/*/fund.json', { eager: true, import: 'default' }));

export function useFunders() {
  return useQuery({
    queryKey: ['funders'],
    queryFn: () => body(api.GET(`${officer}/funders`)),
  });
}

export function useBounds() {
  return useQuery({
    queryKey: ['bounds'],
    queryFn: async () => (await body(api.GET(`${officer}/fund/bounds`))).items ?? [],
  });
}

export function usePools() {
  return useQuery({
    queryKey: ['risk-pools'],
    queryFn: async () => (await body(api.GET(`${officer}/fund/pools`))).items ?? [],
  });
}

const statement = (code: string, month: string) => ({
  queryKey: ['fund-statement', code, month],
  enabled: !!code && !!month,
  queryFn: () =>
    body(
      api.GET(`${officer}/funders/{code}/statement`, {
        params: { path: { code }, query: { month } },
      }),
    ),
});

export const useStatement = (code: string, month: string) => useQuery(statement(code, month));

/** The statements of several funders for a month. */
export const useStatements = (codes: string[], month: string) =>
  useQueries({ queries: codes.map((code) => statement(code, month)) });

export function useSubsidy(code: string, quarter: string) {
  return useQuery({
    queryKey: ['subsidy', code, quarter],
    enabled: !!quarter,
    queryFn: () =>
      body(
        api.GET(`${officer}/funders/{code}/subsidy`, {
          params: { path: { code }, query: { quarter } },
        }),
      ),
  });
}

export const statementFile = (code: string, month: string) =>
  `${officer}/funders/${encodeURIComponent(code)}/statement.csv?month=${month}`;

export const subsidyFile = (code: string, quarter: string) =>
  `${officer}/funders/${encodeURIComponent(code)}/subsidy.csv?quarter=${quarter}`;

/** Enters money that passed between the bank and a funder; above zero the bank paid. */
export function useSettle(code: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, ...sent }: { key: string; amount: number; date: string; ref: string }) =>
      body(
        api.POST(`${officer}/funders/{code}/settlements`, {
          params: { path: { code }, header: { 'Idempotency-Key': key } },
          body: sent,
        }),
      ),
    onSuccess: () => client.invalidateQueries(),
  });
}

/** By which agreement an application is shared, and which may be chosen. */
export function useAgreement(id: string) {
  return useQuery({
    queryKey: ['agreement', id],
    queryFn: () => body(api.GET(`${officer}/applications/{id}/agreement`, byId(id))),
  });
}

/** Has an application shared by an agreement; "" goes back to its product's. */
export const useChoose = (id: string) =>
  useDeed((agreement: string) =>
    body(api.POST(`${officer}/applications/{id}/agreement`, { ...byId(id), body: { agreement } })),
  );

export const newKey = idempotencyKey;
