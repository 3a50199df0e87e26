/** What the farmer's doors of the API give and take, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type { Fen, Rate, Rings } from '@furrow/shared/api/types';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

/** A yearly rate in the API's 1e-8 units, of basis points. */
export const rateOfBp = (bp: number): Rate => bp * 10_000;

const MINUTE = 60_000;

export const keys = {
  home: ['home'] as const,
  scene: ['scene'] as const,
  plot: (id: string) => ['plot', id] as const,
  application: (id: string) => ['application', id] as const,
  contract: (id: string, language: string, method = '') =>
    ['contract', id, language, method] as const,
  loan: (id: string) => ['loan', id] as const,
  guarantees: ['guarantees'] as const,
};

export function useHome() {
  return useQuery({
    queryKey: keys.home,
    queryFn: () => body(api.GET('/api/v1/farmer/home')),
  });
}

/** Loans for which I answer or am asked to; asked again, since others sign meanwhile. */
export function useGuarantees() {
  return useQuery({
    queryKey: keys.guarantees,
    refetchInterval: MINUTE,
    queryFn: async () => (await body(api.GET('/api/v1/farmer/guarantees'))).items ?? [],
  });
}

export function useScene() {
  return useQuery({
    queryKey: keys.scene,
    staleTime: 10 * MINUTE,
    queryFn: () => body(api.GET('/api/v1/farmer/scene')),
  });
}

/** All that belongs to the borrower. */
export type Home = NonNullable<ReturnType<typeof useHome>['data']>;

export function usePlot(id: string) {
  return useQuery({
    queryKey: keys.plot(id),
    queryFn: () => body(api.GET('/api/v1/farmer/plots/{id}', { params: { path: { id } } })),
    // A new plot has its first report within minutes.
    refetchInterval: (q) => (q.state.data && !q.state.data.report ? 10_000 : false),
  });
}

/** Measures a boundary and finds its neighbours, or throws what is wrong with it. */
export function checkPlot(polygon: Rings) {
  return body(api.POST('/api/v1/farmer/plots/check', { body: { polygon } }));
}

/** Finds the field around a place, or throws why none stands out there. */
export function suggestPlot([lon, lat]: readonly [lon: number, lat: number]) {
  return body(api.POST('/api/v1/farmer/plots/suggest', { body: { lon, lat } }));
}

/** A plot to register, with the key that makes a repeated tap harmless. */
export interface NewPlot {
  name: string;
  crop: string;
  polygon: Rings;
  /** As its holder states it. */
  claimed_m2?: number;
  key: string;
}

export function useAddPlot() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, ...plot }: NewPlot) =>
      body(
        api.POST('/api/v1/farmer/plots', {
          params: { header: { 'Idempotency-Key': key } },
          body: plot,
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.home }),
  });
}

const MOVING = new Set(['submitted', 'deciding']);

/** An application with all that is known of it; asked again while the bank works on it. */
export function useApplication(id: string) {
  return useQuery({
    queryKey: keys.application(id),
    queryFn: () => body(api.GET('/api/v1/farmer/applications/{id}', { params: { path: { id } } })),
    refetchInterval: (q) =>
      q.state.data && MOVING.has(q.state.data.application.state) ? 2000 : false,
  });
}

/** The contract that is signed, or would be with a way of repayment. */
export function useContract(id: string, language: string, method?: string) {
  return useQuery({
    queryKey: keys.contract(id, language, method),
    enabled: !!id,
    queryFn: () =>
      body(
        api.GET('/api/v1/farmer/applications/{id}/contract', {
          params: { path: { id }, query: method ? { method } : {} },
        }),
      ),
  });
}

export function useLoan(id: string) {
  return useQuery({
    queryKey: keys.loan(id),
    queryFn: () => body(api.GET('/api/v1/farmer/loans/{id}', { params: { path: { id } } })),
  });
}

/** A move on an application; everything that shows it is asked again afterwards. */
function useMove<In, Out>(id: string, move: (input: In) => Promise<Out>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: move,
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.application(id) }),
        client.invalidateQueries({ queryKey: keys.home }),
      ]),
  });
}

export function useWithdraw(id: string) {
  return useMove(id, () =>
    body(api.POST('/api/v1/farmer/applications/{id}/withdraw', { params: { path: { id } } })),
  );
}

/** Withdraws a draft at the bank that its writer drops on the phone. */
export function useDropDraft() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      body(api.POST('/api/v1/farmer/applications/{id}/withdraw', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.home }),
  });
}

/** Asks that a person looks at the decision. */
export function useReview(id: string) {
  return useMove(id, (reason: string) =>
    body(
      api.POST('/api/v1/farmer/applications/{id}/review', {
        params: { path: { id } },
        body: { reason },
      }),
    ),
  );
}

/** Money with the key that makes a repeated tap harmless. */
export interface Keyed {
  amount: Fen;
  key: string;
}

export function useDraw(id: string) {
  return useMove(id, ({ amount, key }: Keyed) =>
    body(
      api.POST('/api/v1/farmer/applications/{id}/draw', {
        params: { path: { id }, header: { 'Idempotency-Key': key } },
        body: { amount },
      }),
    ),
  );
}
