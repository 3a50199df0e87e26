import { api, body, idempotencyKey } from '@furrow/shared/api/client';
import type { Loan, OfficerLoanEvent } from '@furrow/shared/api/types';
import { addTexts } from '@furrow/shared/i18n';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { dayOf } from '../fund/period';
import { byId, given, officer, useDeed, useList } from '../pieces/query';

import './loan.css';

addTexts(import.meta.glob('../locales/*/servicing.json', { eager: true, import: 'default' }));

export const newKey = idempotencyKey;

/** What ends a loan on a day. */
export function usePayoff(id: string, date: string) {
  return useQuery({
    queryKey: ['payoff', id, date],
    enabled: !!date,
    placeholderData: keepPreviousData,
    queryFn: () =>
      body(api.GET(`${officer}/loans/{id}/payoff`, { params: { path: { id }, query: { date } } })),
  });
}

/** The loan as it would be with one more event; nothing is kept. */
export function usePreview(id: string) {
  return useMutation({
    mutationFn: (event: OfficerLoanEvent) =>
      body(api.POST(`${officer}/loans/{id}/preview`, { ...byId(id), body: event })),
  });
}

export interface Booking {
  event: OfficerLoanEvent;
  /** The same key for each retry, so that it happens once. */
  key: string;
  /** With a reason it is a proposal that a second person must approve. */
  reason?: string;
  /** Money that goes back over the rail. */
  refund?: boolean;
}

/** Books an event, proposes it, or pays money back. */
export function useBook(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ event, key, reason, refund }: Booking): Promise<void> => {
      const params = { path: { id }, header: { 'Idempotency-Key': key } };
      if (refund) {
        const sent = { amount: event.amount ?? 0 };
        await body(api.POST(`${officer}/loans/{id}/refund`, { params, body: sent }));
      } else if (reason !== undefined)
        await body(
          api.POST(`${officer}/loans/{id}/proposals`, { params, body: { event, reason } }),
        );
      else await body(api.POST(`${officer}/loans/{id}/events`, { params, body: event }));
    },
    onSuccess: () => client.invalidateQueries(),
  });
}

/** Proposals of all loans, newest first; "" are those of every state. */
export const useProposals = (state: '' | 'proposed' | 'approved' | 'refused') =>
  useList(['loan-proposals', { state }], (before) =>
    body(
      api.GET(`${officer}/loan-proposals`, {
        params: { query: given({ state, before, limit: 50 }) },
      }),
    ),
  );

/** Approves or refuses what a colleague proposed. */
export const useSecond = () =>
  useDeed(({ id, act, note }: { id: string; act: 'approve' | 'refuse'; note: string }) =>
    body(api.POST(`${officer}/loan-proposals/{id}/${act}`, { ...byId(id), body: { note } })),
  );

/** A loan in one month. */
export function useStatement(id: string, month: string) {
  return useQuery({
    queryKey: ['statement', id, month],
    queryFn: () =>
      body(
        api.GET(`${officer}/loans/{id}/statement`, { params: { path: { id }, query: { month } } }),
      ),
  });
}

export const statementsCSV = (userId: string, month: string) =>
  `${officer}/borrowers/${encodeURIComponent(userId)}/statements.csv?month=${month}`;

/** Day ends, newest first; one that runs is read again. */
export function useDayEnds() {
  return useQuery({
    queryKey: ['dayends'],
    queryFn: async () =>
      (await body(api.GET(`${officer}/dayends`, { params: { query: { limit: 60 } } }))).items ?? [],
    refetchInterval: (query) => (query.state.data?.some((r) => !r.ended_at) ? 3_000 : 60_000),
  });
}

/** Running loans by tier and stage. */
export function useClasses() {
  return useQuery({
    queryKey: ['loan-classes'],
    queryFn: async () => (await body(api.GET(`${officer}/loan-classes`))).items ?? [],
  });
}

/** The loans that moved between tiers within the last month, by tier before and after. */
export function useTierMatrix() {
  return useQuery({
    queryKey: ['tier-matrix'],
    queryFn: () => body(api.GET(`${officer}/tier-matrix`)),
  });
}

/** Movements between tiers, newest first; "" are those of all loans. */
export const useTierMoves = (loan: string) =>
  useList(['tier-moves', loan], (before) =>
    body(
      api.GET(`${officer}/tier-moves`, {
        params: { query: given({ loan_id: loan, before, limit: 20 }) },
      }),
    ),
  );

export interface LoanFilter {
  state: string;
  class: string;
  product: string;
  overdue: string;
}

export const useFilteredLoans = (filter: LoanFilter) =>
  useList(['loans', filter], (before) =>
    body(
      api.GET(`${officer}/loans`, {
        params: {
          query: given({
            limit: 50,
            state: filter.state ? [filter.state] : undefined,
            class: filter.class ? [filter.class] : undefined,
            product: filter.product,
            overdue_from: filter.overdue ? Number(filter.overdue) : undefined,
            before,
          }),
        },
      }),
    ),
  );

/** Whether the days of cooling off run still, on a bank date. */
const cools = (loan: Loan, today: string) =>
  ['active', 'overdue'].includes(loan.state) &&
  Date.parse([loan.day_end, today].sort()[1] ?? today) <=
    Date.parse(loan.drawn_on) + (loan.cooling_days ?? 0) * 86_400_000 &&
  !!loan.cooling_days;

/** What giving the money back takes today; only asked while the days of cooling off may run. */
export function useCooling(loan: Loan) {
  return useQuery({
    queryKey: ['cooling', loan.id],
    enabled: cools(loan, dayOf(new Date())),
    queryFn: async () => {
      const answer = await api.GET(`${officer}/loans/{id}/step-back`, byId(loan.id));
      return answer.data ?? null; // the days are over
    },
  });
}

/** Gives the money of a loan back. */
export const useStepBack = (id: string) =>
  useDeed(({ key, amount }: { key: string; amount: number }) =>
    body(
      api.POST(`${officer}/loans/{id}/step-back`, {
        params: { path: { id }, header: { 'Idempotency-Key': key } },
        body: { amount },
      }),
    ),
  );

/** The parts in which a loan goes out. */
export function useTranches(id: string) {
  return useQuery({
    queryKey: ['tranches', id],
    queryFn: async () =>
      (await body(api.GET(`${officer}/loans/{id}/tranches`, byId(id)))).items ?? [],
  });
}

const partOf = (id: string, nr: number) => ({ params: { path: { id, nr } } });

/** Writes down what an inspection for a part found. */
export const useInspect = (id: string, nr: number) =>
  useDeed((seen: { found: boolean; note: string }) =>
    body(
      api.POST(`${officer}/loans/{id}/tranches/{nr}/inspections`, {
        ...partOf(id, nr),
        body: seen,
      }),
    ),
  );

/** Stands for a colleague's inspection. */
export const useConfirm = (id: string, nr: number) =>
  useDeed<void>(() =>
    body(api.POST(`${officer}/loans/{id}/tranches/{nr}/confirm`, partOf(id, nr))),
  );
