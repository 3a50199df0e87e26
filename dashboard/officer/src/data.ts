import { api, body } from '@furrow/shared/api/client';
import type {
  Alert,
  Application,
  Loan,
  OfficerPlotLine,
  Party,
  Quarantined,
} from '@furrow/shared/api/types';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { asked, type Span } from './animal/timeline';
import { byId, given, officer, useList } from './pieces/query';

export function useHome() {
  return useQuery({
    queryKey: ['home'],
    queryFn: () => body(api.GET(`${officer}/home`)),
    refetchInterval: 60_000,
  });
}

export const useApplications = (state: string) =>
  useList<Application>(['applications', { state }], (before) =>
    body(
      api.GET(`${officer}/applications`, {
        params: { query: given({ state: state ? [state] : undefined, before, limit: 50 }) },
      }),
    ),
  );

export const useAlerts = (open: boolean) =>
  useList<Alert>(['alerts', { open }], (before) =>
    body(api.GET(`${officer}/alerts`, { params: { query: given({ open, before, limit: 50 }) } })),
  );

export const useLoans = (state: string) =>
  useList<Loan>(['loans', { state }], (before) =>
    body(
      api.GET(`${officer}/loans`, {
        params: { query: given({ state: state ? [state] : undefined, before, limit: 50 }) },
      }),
    ),
  );

export const useFirms = (q: string, anchors: boolean) =>
  useList<Party>(['firms', { q, anchors }], (after) =>
    body(
      api.GET(`${officer}/firms`, { params: { query: given({ q, anchors, after, limit: 50 }) } }),
    ),
  );

export function useApplication(id: string) {
  return useQuery({
    queryKey: ['application', id],
    queryFn: () => body(api.GET(`${officer}/applications/{id}`, byId(id))),
  });
}

const MOST_PLOTS = 10_000;

/** All plots with the gist of their reports, for the map. */
export function usePlots() {
  return useQuery({
    queryKey: ['plots'],
    staleTime: 60_000,
    queryFn: async () => {
      const lines: OfficerPlotLine[] = [];
      let after = '';
      do {
        const query = { limit: 1000, ...(after ? { after } : {}) };
        const page = await body(api.GET(`${officer}/plots`, { params: { query } }));
        lines.push(...(page.items ?? []));
        after = page.next;
      } while (after && lines.length < MOST_PLOTS);
      return lines;
    },
  });
}

export function usePlot(id: string) {
  return useQuery({
    queryKey: ['plot', id],
    queryFn: () => body(api.GET(`${officer}/plots/{id}`, byId(id))),
  });
}

export function useScenes() {
  return useQuery({
    queryKey: ['scenes'],
    staleTime: 600_000,
    queryFn: async () => (await body(api.GET(`${officer}/scenes`))).items ?? [],
  });
}

/** What the colours of a map layer mean. */
export function useLegend(layer: string) {
  return useQuery({
    queryKey: ['legend', layer],
    staleTime: 3_600_000,
    queryFn: async () =>
      (await body(api.GET('/api/v1/legends/{layer}', { params: { path: { layer } } }))) ?? [],
  });
}

export function useHerds() {
  return useQuery({
    queryKey: ['herds'],
    queryFn: async () => (await body(api.GET(`${officer}/herds`))).items ?? [],
  });
}

export function useHerd(id: string) {
  return useQuery({
    queryKey: ['herd', id],
    queryFn: () => body(api.GET(`${officer}/herds/{id}`, byId(id))),
    refetchInterval: 60_000,
    // To compare ten thousand animals with those before costs more than to draw them.
    structuralSharing: false,
  });
}

export function useAnimal(id: string) {
  return useQuery({
    queryKey: ['animal', id],
    queryFn: () => body(api.GET(`${officer}/animals/{id}`, byId(id))),
    refetchInterval: 60_000,
  });
}

/** What an animal did over a span that ends now; read again every five minutes. */
export function useTimeline(id: string, span: Span) {
  return useQuery({
    queryKey: ['timeline', id, span],
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    refetchInterval: 300_000,
    queryFn: () =>
      body(
        api.GET(`${officer}/animals/{id}/timeline`, {
          params: { path: { id }, query: asked(span, Date.now()) },
        }),
      ),
  });
}

/** Takes a count that was made on the spot. */
export function useAddCount(herdId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (count: { at: string; seen: number; pen_id?: string }) =>
      body(api.POST(`${officer}/herds/{id}/counts`, { ...byId(herdId), body: count })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['herd', herdId] }),
  });
}

/** Takes whether an animal in doubt was seen alive. */
export function useConfirm(animalId: string, herdId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (alive: boolean) =>
      body(api.POST(`${officer}/animals/{id}/confirm`, { ...byId(animalId), body: { alive } })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['animal', animalId] });
      await client.invalidateQueries({ queryKey: ['herd', herdId] });
    },
  });
}

export function useWeigh(animalId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (weighing: {
      at: string;
      kg: number;
      method: 'scale' | 'walk_over' | 'tape' | 'estimate';
    }) =>
      body(api.POST(`${officer}/animals/{id}/weighings`, { ...byId(animalId), body: weighing })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['animal', animalId] }),
  });
}

export const useQuarantine = (code: string) =>
  useList<Quarantined>(['quarantine', { code }], (before) =>
    body(
      api.GET(`${officer}/quarantine`, { params: { query: given({ code, before, limit: 50 }) } }),
    ),
  );

/** How many messages are kept, by reason. */
export function useQuarantineCounts() {
  return useQuery({
    queryKey: ['quarantine-counts'],
    refetchInterval: 60_000,
    queryFn: async () => (await body(api.GET(`${officer}/quarantine/counts`))).codes ?? {},
  });
}

export function useFirm(id: string) {
  return useQuery({
    queryKey: ['firm', id],
    queryFn: () => body(api.GET(`${officer}/firms/{id}`, byId(id))),
  });
}

export function useLoan(id: string) {
  return useQuery({
    queryKey: ['loan', id],
    queryFn: () => body(api.GET(`${officer}/loans/{id}`, byId(id))),
  });
}

/** Approves or refuses an application, with a note for its history. */
export function useVerdict(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ verdict, note }: { verdict: 'approve' | 'refuse'; note: string }) =>
      body(api.POST(`${officer}/applications/{id}/${verdict}`, { ...byId(id), body: { note } })),
    onSettled: () => client.invalidateQueries(),
  });
}

/** Borrowers who ask for a person's review, oldest first. */
export function useReviews() {
  return useQuery({
    queryKey: ['reviews'],
    queryFn: () => body(api.GET(`${officer}/reviews`)),
    select: (list) => list.items ?? [],
  });
}

/** Answers a review whose decision stands. */
export function useCloseReview(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (answer: string) =>
      body(api.POST(`${officer}/reviews/{id}/close`, { ...byId(id), body: { answer } })),
    onSettled: () => client.invalidateQueries(),
  });
}

/** Decides the stored snapshot again. */
export function useReplay(decisionId: string) {
  return useMutation({
    mutationFn: () => body(api.POST(`${officer}/decisions/{id}/replay`, byId(decisionId))),
  });
}

export function useCloseAlert() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, cause }: { id: string; cause: string }) =>
      body(api.POST(`${officer}/alerts/{id}/close`, { ...byId(id), body: { cause } })),
    onSettled: () => client.invalidateQueries(),
  });
}
