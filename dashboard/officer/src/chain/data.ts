import { api, body } from '@furrow/shared/api/client';
import type { Sme, SmePage } from '@furrow/shared/api/types';
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';

const officer = '/api/v1/officer';

export type Side = 'suppliers' | 'dealers';

/** What narrows the firms around an anchor; amounts in fen. */
export interface Around {
  hops: number;
  least: number;
  node: string;
}

/** The directions, chains and nodes on which firms are mounted; they rarely change. */
export function useIndustries() {
  return useQuery({
    queryKey: ['industries'],
    staleTime: 3_600_000,
    queryFn: () => body(api.GET(`${officer}/industries`)),
  });
}

export function usePlace(id: string) {
  return useQuery({
    queryKey: ['firm-place', id],
    queryFn: () => body(api.GET(`${officer}/firms/{id}/place`, { params: { path: { id } } })),
  });
}

function readAround(side: Side, id: string, a: Around, after: string, limit: number) {
  const query = {
    hops: a.hops,
    limit,
    ...(a.least ? { min_amount: a.least } : {}),
    ...(a.node ? { node: a.node } : {}),
    ...(after ? { after } : {}),
  };
  const params = { path: { id }, query };
  return side === 'suppliers'
    ? body(api.GET(`${officer}/anchors/{id}/suppliers`, { params }))
    : body(api.GET(`${officer}/anchors/{id}/dealers`, { params }));
}

/** The small firms around an anchor, page by page, nearest and largest first. */
export function useAround(side: Side, id: string, a: Around) {
  return useInfiniteQuery({
    queryKey: ['around', side, id, a],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => readAround(side, id, a, pageParam, 50),
    getNextPageParam: (last: SmePage) => last.next || undefined,
    select: ({ pages }) => ({
      firms: pages.flatMap((page) => page.firms),
      tiers: pages[0]?.tiers ?? [],
    }),
  });
}

const PAGES = 5;

/**
 * The firms of all tiers for a picture: pages go tier by tier, so that the far tiers come
 * last. It gives up after a thousand firms.
 */
export function usePictured(side: Side, id: string, a: Around) {
  return useQuery({
    queryKey: ['pictured', side, id, a],
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const firms: Sme[] = [];
      let after = '';
      for (let i = 0; i < PAGES; i++) {
        const page = await readAround(side, id, a, after, 200);
        firms.push(...page.firms);
        after = page.next ?? '';
        if (!after) break;
      }
      return firms;
    },
  });
}

/** How many firms each tier of an anchor has. */
export function useTiers(side: Side, id: string) {
  return useQuery({
    queryKey: ['tiers', side, id],
    staleTime: 60_000,
    queryFn: async () => (await readAround(side, id, { hops: 3, least: 0, node: '' }, '', 1)).tiers,
  });
}

/** The ways of trade from a seller to a buyer. */
export function useWays(from: string, to: string, hops: number) {
  return useQuery({
    queryKey: ['ways', from, to, hops],
    enabled: from !== '' && to !== '' && from !== to,
    queryFn: async () =>
      (await body(api.GET(`${officer}/paths`, { params: { query: { from, to, hops } } }))).items ??
      [],
  });
}

/** What becomes of firms and loans when a firm loses a part of its output. */
export function useShock() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (shock: { firm_id: string; part: number; raise: boolean }) =>
      body(api.POST(`${officer}/shocks`, { body: shock })),
    onSuccess: (report) => {
      if (report.raised > 0) void client.invalidateQueries({ queryKey: ['alerts'] });
    },
  });
}
