/** What the farmer's doors of the API give and take, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type {
  Application,
  ApplicationDetail,
  Contract,
  CropReport,
  Fen,
  Herd,
  HerdReport,
  Instalment,
  Loan,
  Overlap,
  Party,
  Plot,
  Rate,
  Rings,
  Scene,
  Standing,
} from '@furrow/shared/api/types';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

/** A yearly rate in the API's 1e-8 units, of basis points. */
export const rateOfBp = (bp: number): Rate => bp * 10_000;

/** A plot's newest report without its curves. */
export type ReportSummary = Pick<
  CropReport,
  'status' | 'reason' | 'crop' | 'confidence' | 'vigour'
>;

export interface Home {
  plots: { plot: Plot; report_summary?: ReportSummary }[] | null;
  herds: { herd: Herd; report: HerdReport }[] | null;
  firms: { firm: Party; standing: Standing }[] | null;
  applications: Application[] | null;
  loans: Loan[] | null;
}

export interface PlotCheck {
  polygon: Rings;
  area_m2: number;
  mu: number;
  perimeter_m: number;
  overlaps: Overlap[] | null;
}

/** The newest clear picture of the county, for the map to draw on. */
export interface Backdrop {
  item?: Scene;
  bbox: [number, number, number, number];
}

const MINUTE = 60_000;

export const keys = {
  home: ['home'] as const,
  scene: ['scene'] as const,
  plot: (id: string) => ['plot', id] as const,
  application: (id: string) => ['application', id] as const,
  contract: (id: string, language: string) => ['contract', id, language] as const,
  loan: (id: string) => ['loan', id] as const,
};

export function useHome() {
  return useQuery({
    queryKey: keys.home,
    queryFn: () => body<Home>(api.GET('/farmer/home')),
  });
}

export function useScene() {
  return useQuery({
    queryKey: keys.scene,
    staleTime: 10 * MINUTE,
    queryFn: () => body<Backdrop>(api.GET('/farmer/scene')),
  });
}

export function usePlot(id: string) {
  return useQuery({
    queryKey: keys.plot(id),
    queryFn: () =>
      body<{ plot: Plot; report?: CropReport }>(
        api.GET('/farmer/plots/{id}', { params: { path: { id } } }),
      ),
    // A new plot has its first report within minutes.
    refetchInterval: (q) => (q.state.data && !q.state.data.report ? 10_000 : false),
  });
}

/** Measures a boundary and finds its neighbours, or throws what is wrong with it. */
export function checkPlot(polygon: Rings): Promise<PlotCheck> {
  return body<PlotCheck>(api.POST('/farmer/plots/check', { body: { polygon } }));
}

export function useAddPlot() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (plot: { name: string; crop: string; polygon: Rings }) =>
      body<Plot>(api.POST('/farmer/plots', { body: plot })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.home }),
  });
}

const MOVING = new Set(['submitted', 'deciding']);

/** An application with all that is known of it; asked again while the bank works on it. */
export function useApplication(id: string) {
  return useQuery({
    queryKey: keys.application(id),
    queryFn: () =>
      body<ApplicationDetail>(api.GET('/farmer/applications/{id}', { params: { path: { id } } })),
    refetchInterval: (q) =>
      q.state.data && MOVING.has(q.state.data.application.state) ? 2000 : false,
  });
}

export function useContract(id: string, language: string) {
  return useQuery({
    queryKey: keys.contract(id, language),
    queryFn: () =>
      body<Contract>(api.GET('/farmer/applications/{id}/contract', { params: { path: { id } } })),
  });
}

export function useLoan(id: string) {
  return useQuery({
    queryKey: keys.loan(id),
    queryFn: () =>
      body<{ loan: Loan; schedule: Instalment[] | null }>(
        api.GET('/farmer/loans/{id}', { params: { path: { id } } }),
      ),
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

export function useSign(id: string) {
  return useMove(id, (hash: string) =>
    body<Application>(
      api.POST('/farmer/applications/{id}/sign', {
        params: { path: { id } },
        body: { hash },
      }),
    ),
  );
}

export function useWithdraw(id: string) {
  return useMove(id, () =>
    body<Application>(api.POST('/farmer/applications/{id}/withdraw', { params: { path: { id } } })),
  );
}

/** Money with the key that makes a repeated tap harmless. */
export interface Keyed {
  amount: Fen;
  key: string;
}

export function useDraw(id: string) {
  return useMove(id, ({ amount, key }: Keyed) =>
    body<Loan>(
      api.POST('/farmer/applications/{id}/draw', {
        params: { path: { id }, header: { 'Idempotency-Key': key } },
        body: { amount },
      }),
    ),
  );
}

export function useRepay(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ amount, key }: Keyed) =>
      body<unknown>(
        api.POST('/farmer/loans/{id}/repay', {
          params: { path: { id }, header: { 'Idempotency-Key': key } },
          body: { amount },
        }),
      ),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.loan(id) }),
        client.invalidateQueries({ queryKey: keys.home }),
      ]),
  });
}
