/** Offers, contracts, directed orders, loans and pledges, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type { FarmerPurchaseAsk, Fen, SignerSaw } from '@furrow/shared/api/types';
import {
  keepPreviousData,
  type QueryKey,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import i18next from 'i18next';
import { type Keyed, keys } from '../data';

const of = {
  preview: (id: string, ask: object) => ['preview', id, ask] as const,
  signatures: (id: string) => ['signatures', id] as const,
  shelf: (id: string) => ['shelf', id] as const,
  orders: (application: string) => ['orders', application] as const,
  order: (id: string) => ['order', id] as const,
  tranches: (loan: string) => ['tranches', loan] as const,
  trace: (loan: string) => ['trace', loan] as const,
  collateral: (id: string) => ['collateral', id] as const,
};

/** What a preview is of; what is absent is as offered. */
export interface PreviewAsk {
  amount?: Fen | undefined;
  term_months?: number | undefined;
  method?: string | undefined;
}

/** What drawing an amount would cost; the last answer stays while the next one is reckoned. */
export function usePreview(id: string, ask: PreviewAsk, enabled = true) {
  return useQuery({
    queryKey: of.preview(id, ask),
    enabled,
    placeholderData: keepPreviousData,
    queryFn: () =>
      body(
        api.GET('/api/v1/farmer/applications/{id}/preview', {
          params: { path: { id }, query: ask },
        }),
      ),
  });
}

/** A change after which everything that shows it is asked again. */
function useChange<In, Out>(change: (input: In) => Promise<Out>, ...stale: QueryKey[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () =>
      Promise.all([keys.home, ...stale].map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

export function useAccept(id: string) {
  return useChange(
    () => body(api.POST('/api/v1/farmer/applications/{id}/accept', { params: { path: { id } } })),
    keys.application(id),
  );
}

export function useSign(id: string) {
  return useChange(
    (given: { hash: string; seen: SignerSaw }) =>
      body(
        api.POST('/api/v1/farmer/applications/{id}/sign', {
          params: { path: { id } },
          body: given,
        }),
      ),
    keys.application(id),
    ['contract', id],
    of.signatures(id),
  );
}

export function useSignatures(id: string, enabled: boolean) {
  return useQuery({
    queryKey: of.signatures(id),
    enabled,
    queryFn: () =>
      body(api.GET('/api/v1/farmer/applications/{id}/signatures', { params: { path: { id } } })),
  });
}

/** Signs as the one who answers, or declines with a reason. */
export function useAnswerFor(id: string, nr: number) {
  const params = { path: { id, nr } };
  return useChange(
    (given: { hash: string; declaration: string; seen: SignerSaw } | { reason: string }) =>
      'reason' in given
        ? body(api.POST('/api/v1/farmer/guarantees/{id}/{nr}/decline', { params, body: given }))
        : body(api.POST('/api/v1/farmer/guarantees/{id}/{nr}/sign', { params, body: given })),
    keys.guarantees,
    ['contract', id],
    of.signatures(id),
  );
}

/** The contract as a PDF in the reader's language. */
export async function contractFile(id: string, method: string | undefined): Promise<Blob> {
  const { data } = await api.GET('/api/v1/farmer/applications/{id}/contract.pdf', {
    params: { path: { id }, query: method ? { method } : {} },
    parseAs: 'blob',
  });
  return data as unknown as Blob;
}

export function useShelf(id: string) {
  return useQuery({
    queryKey: of.shelf(id),
    queryFn: () =>
      body(api.GET('/api/v1/farmer/applications/{id}/shelf', { params: { path: { id } } })),
  });
}

/** What an order would come to, and all that speaks against it. */
export function useOrderCheck(ask: FarmerPurchaseAsk | null) {
  return useQuery({
    queryKey: ['order-check', ask, i18next.language],
    enabled: !!ask,
    placeholderData: keepPreviousData,
    queryFn: () => body(api.POST('/api/v1/farmer/purchases/check', { body: ask ?? never() })),
  });
}

function never(): never {
  throw new Error('a query that is off was asked');
}

export function usePlace(application: string) {
  return useChange(
    ({ key, ...ask }: FarmerPurchaseAsk & { key: string }) =>
      body(
        api.POST('/api/v1/farmer/purchases', {
          params: { header: { 'Idempotency-Key': key } },
          body: ask,
        }),
      ),
    of.orders(application),
    of.shelf(application),
    keys.application(application),
  );
}

export function useOrders(application: string) {
  return useQuery({
    queryKey: of.orders(application),
    queryFn: () =>
      body(
        api.GET('/api/v1/farmer/purchases', {
          params: { query: { application_id: application } },
        }),
      ),
  });
}

const WAITING = new Set(['submitted', 'confirmed', 'paying', 'refunding']);

/** An order; asked again while the seller or the bank has to do something. */
export function useOrder(id: string) {
  return useQuery({
    queryKey: of.order(id),
    queryFn: () => body(api.GET('/api/v1/farmer/purchases/{id}', { params: { path: { id } } })),
    refetchInterval: (q) => (q.state.data && WAITING.has(q.state.data.order.state) ? 5000 : false),
  });
}

/** What the buyer does with an order that is placed. */
export function useOrderStep(id: string, application: string) {
  return useChange(
    ({ what, receipt }: { what: 'submit' | 'deliver' | 'cancel' | 'pay'; receipt: string }) => {
      const params = { path: { id } };
      switch (what) {
        case 'submit':
          return body(api.POST('/api/v1/farmer/purchases/{id}/submit', { params }));
        case 'deliver':
          return body(
            api.POST('/api/v1/farmer/purchases/{id}/deliver', {
              params,
              body: receipt ? { receipt_hash: receipt } : {},
            }),
          );
        case 'cancel':
          return body(
            api.POST('/api/v1/farmer/purchases/{id}/cancel', {
              params,
              body: { reason: i18next.t('buy:cancel_reason') },
            }),
          );
        case 'pay':
          return body(api.POST('/api/v1/farmer/purchases/{id}/pay', { params }));
      }
    },
    of.order(id),
    of.orders(application),
    of.shelf(application),
    keys.application(application),
  );
}

export function useTrace(loan: string) {
  return useQuery({
    queryKey: of.trace(loan),
    enabled: !!loan,
    queryFn: () =>
      body(api.GET('/api/v1/farmer/loans/{id}/trace', { params: { path: { id: loan } } })),
  });
}

/** What ends a loan on a day. */
export function usePayoff(id: string, date: string) {
  return useQuery({
    queryKey: ['payoff', ...keys.loan(id), date],
    enabled: !!date,
    queryFn: () =>
      body(
        api.GET('/api/v1/farmer/loans/{id}/payoff', { params: { path: { id }, query: { date } } }),
      ),
  });
}

/** What repaying an amount today would do. */
export function useRepayPreview(id: string, amount: Fen | null) {
  return useQuery({
    queryKey: ['repayment', ...keys.loan(id), amount],
    enabled: !!amount,
    queryFn: () =>
      body(
        api.GET('/api/v1/farmer/loans/{id}/repayment', {
          params: { path: { id }, query: { amount: amount ?? 0 } },
        }),
      ),
  });
}

export function useRepay(id: string) {
  return useMoney(id, '/api/v1/farmer/loans/{id}/repay');
}

/** Has money back that the bank holds. */
export function useRefund(id: string) {
  return useMoney(id, '/api/v1/farmer/loans/{id}/refund');
}

/** The parts in which a loan goes out; asked again while the bank has not answered for one. */
export function useTranches(id: string) {
  return useQuery({
    queryKey: of.tranches(id),
    refetchInterval: (query) =>
      query.state.data?.tranches.some((x) => x.state === 'paying') ? 5_000 : false,
    queryFn: () =>
      body(api.GET('/api/v1/farmer/loans/{id}/tranches', { params: { path: { id } } })),
  });
}

export function useDrawTranche(id: string) {
  return useChange(
    ({ nr, key }: { nr: number; key: string }) =>
      body(
        api.POST('/api/v1/farmer/loans/{id}/tranches/{nr}/draw', {
          params: { path: { id, nr }, header: { 'Idempotency-Key': key } },
        }),
      ),
    keys.loan(id),
    of.tranches(id),
  );
}

export function useCancelTranches(id: string) {
  return useChange(
    () => body(api.POST('/api/v1/farmer/loans/{id}/tranches/cancel', { params: { path: { id } } })),
    keys.loan(id),
    of.tranches(id),
  );
}

export function useStepBack(id: string) {
  return useMoney(id, '/api/v1/farmer/loans/{id}/step-back');
}

function useMoney(
  id: string,
  path: `/api/v1/farmer/loans/{id}/${'repay' | 'refund' | 'step-back'}`,
) {
  return useChange(
    ({ amount, key }: Keyed) =>
      body(
        api.POST(path, {
          params: { path: { id }, header: { 'Idempotency-Key': key } },
          body: { amount },
        }),
      ),
    keys.loan(id),
    ['repayment', ...keys.loan(id)],
    ['payoff', ...keys.loan(id)],
    ['application'],
    ['collateral'],
  );
}

/** A loan in a month, "2026-05". */
export function useStatement(id: string, month: string) {
  return useQuery({
    queryKey: ['statement', ...keys.loan(id), month],
    enabled: !!month,
    queryFn: () =>
      body(
        api.GET('/api/v1/farmer/loans/{id}/statement', {
          params: { path: { id }, query: { month } },
        }),
      ),
  });
}

export function useCollateral(id: string) {
  return useQuery({
    queryKey: of.collateral(id),
    queryFn: () =>
      body(api.GET('/api/v1/farmer/applications/{id}/collateral', { params: { path: { id } } })),
  });
}

/** What paying an amount frees, and what must be paid first for some things to be free. */
export function useReleasePlan(id: string, pay: Fen, assets: string[]) {
  return useQuery({
    queryKey: [...of.collateral(id), 'plan', pay, assets],
    placeholderData: keepPreviousData,
    queryFn: () =>
      body(
        api.GET('/api/v1/farmer/applications/{id}/collateral/plan', {
          params: { path: { id }, query: { pay, assets } },
          querySerializer: { array: { style: 'form', explode: false } },
        }),
      ),
  });
}

export function useRelease(id: string) {
  return useChange(
    ({ assets, key }: { assets: string[]; key: string }) =>
      body(
        api.POST('/api/v1/farmer/applications/{id}/collateral/release', {
          params: { path: { id }, header: { 'Idempotency-Key': key } },
          body: { assets },
        }),
      ),
    of.collateral(id),
  );
}
