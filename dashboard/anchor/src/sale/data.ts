/** What the pages of orders ask of the API, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type { Fen, PurchaseOrder } from '@furrow/shared/api/types';
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useKey } from '../key';
import type { ActKind, State } from './acts';

const sales = '/api/v1/anchor/sales';
const LIMIT = 50;

/** How often a page looks at an order of which the bank has not said yet, in milliseconds. */
const LOOK = 2000;

const waits = (o: PurchaseOrder) => o.state === 'paying' || o.state === 'refunding';

export function useSales(state: State | '') {
  return useInfiniteQuery({
    queryKey: ['sales', state],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam: before }) =>
      body(
        api.GET(sales, {
          params: {
            query: { limit: LIMIT, ...(state ? { state } : {}), ...(before ? { before } : {}) },
          },
        }),
      ),
    getNextPageParam: (last) => last.next || undefined,
    select: (data) => data.pages.flatMap((page) => page.items ?? []),
  });
}

export function useSale(id: string) {
  return useQuery({
    queryKey: ['sale', id],
    queryFn: () => body(api.GET(`${sales}/{id}`, { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data && waits(state.data.order) ? LOOK : false),
  });
}

/** One act and what it needs. */
export interface Act {
  kind: ActKind;
  reason?: string;
  receipt?: string;
  lines?: { nr: number; amount: Fen }[];
}

export function useAct(id: string) {
  const client = useQueryClient();
  const key = useKey();
  const params = { path: { id } };
  const send = ({ kind, reason = '', receipt = '', lines = [] }: Act) => {
    switch (kind) {
      case 'confirm':
        return api.POST(`${sales}/{id}/confirm`, { params });
      case 'decline':
        return api.POST(`${sales}/{id}/decline`, { params, body: { reason } });
      case 'deliver':
        return api.POST(`${sales}/{id}/deliver`, { params, body: { receipt_hash: receipt } });
      case 'refund':
        return api.POST(`${sales}/{id}/refund`, {
          params: { ...params, header: key({ lines, reason }) },
          body: { lines, reason },
        });
    }
  };
  return useMutation({
    mutationFn: (act: Act) => body<PurchaseOrder>(send(act)),
    // A refused payment moves the order too.
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['sale', id] }),
        client.invalidateQueries({ queryKey: ['sales'] }),
      ]),
  });
}
