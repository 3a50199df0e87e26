import { api, body, idempotencyKey } from '@furrow/shared/api/client';
import { addTexts } from '@furrow/shared/i18n';
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { byId, given, officer, useDeed, useList } from '../pieces/query';

addTexts(import.meta.glob('../locales/*/ledger.json', { eager: true, import: 'default' }));

/** The trial balance over bank dates; "" does not bound. */
export function useTrial(from: string, to: string) {
  return useQuery({
    queryKey: ['trial', from, to],
    placeholderData: keepPreviousData,
    queryFn: () =>
      body(api.GET(`${officer}/ledger/trial`, { params: { query: given({ from, to }) } })),
  });
}

/** The entries of the book in order, page by page. */
export const useJournal = (from: string, to: string, item: string) =>
  useList(['journal', from, to, item], (after) =>
    body(
      api.GET(`${officer}/ledger/journal`, {
        params: { query: given({ from, to, item, after, limit: 50 }) },
      }),
    ),
  );

/** Where the journal is given as a file. */
export const journalFile = (from: string, to: string, item: string) =>
  `${officer}/ledger/journal.csv?${new URLSearchParams(given({ from, to, item }))}`;

/** An account at a bank date; its postings come newest first, page by page. */
export function useAccount(code: string, item: string, on: string) {
  return useInfiniteQuery({
    queryKey: ['ledger-account', code, item, on],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam: before }) =>
      body(
        api.GET(`${officer}/ledger/accounts/{code}`, {
          params: { path: { code }, query: given({ item, on, before, limit: 50 }) },
        }),
      ),
    getNextPageParam: (last) => last.next || undefined,
  });
}

/** Makes every balance again from the entries. */
export function useVerify() {
  return useMutation({ mutationFn: () => body(api.POST(`${officer}/ledger/verify`)) });
}

/** How far the book is closed, and who closed it. */
export function usePeriods() {
  return useQuery({
    queryKey: ['ledger-periods'],
    queryFn: () => body(api.GET(`${officer}/ledger/periods`)),
  });
}

export type PeriodDeed =
  | { deed: 'propose'; through: string; memo: string }
  | { deed: 'agree'; id: string }
  | { deed: 'refuse'; id: string; note: string };

export const usePeriodDeed = () =>
  useDeed((what: PeriodDeed) => {
    switch (what.deed) {
      case 'propose':
        return body(
          api.POST(`${officer}/ledger/periods`, {
            body: { through: what.through, ...(what.memo ? { memo: what.memo } : {}) },
          }),
        );
      case 'agree':
        return body(api.POST(`${officer}/ledger/periods/{id}/agree`, byId(what.id)));
      case 'refuse':
        return body(
          api.POST(`${officer}/ledger/periods/{id}/refuse`, {
            ...byId(what.id),
            body: { note: what.note },
          }),
        );
    }
  });

export const newKey = idempotencyKey;

/** Who gets fees that are collected with loans. */
export function usePayees() {
  return useQuery({
    queryKey: ['payees'],
    queryFn: async () => (await body(api.GET(`${officer}/payees`))).items ?? [],
  });
}

/** What a payee is owed up to a day, "" for today. */
export function usePayeeStatement(code: string, through: string) {
  return useQuery({
    queryKey: ['payee', code, through],
    placeholderData: keepPreviousData,
    queryFn: () =>
      body(
        api.GET(`${officer}/payees/{code}/statement`, {
          params: { path: { code }, query: given({ through }) },
        }),
      ),
  });
}

export const payeeFile = (code: string, through: string) =>
  `${officer}/payees/${encodeURIComponent(code)}/statement.csv?${new URLSearchParams(given({ through }))}`;

/** Payouts to a payee, newest first; one at the bank is read again. */
export const useRemittances = (payee: string) =>
  useList(['remittances', payee], (before) =>
    body(
      api.GET(`${officer}/remittances`, { params: { query: given({ payee, before, limit: 20 }) } }),
    ),
  );

export type RemittanceDeed =
  | { deed: 'propose'; code: string; through: string; key: string }
  | { deed: 'agree'; id: string }
  | { deed: 'refuse'; id: string; note: string };

export const useRemittanceDeed = () =>
  useDeed((what: RemittanceDeed) => {
    switch (what.deed) {
      case 'propose':
        return body(
          api.POST(`${officer}/payees/{code}/remittances`, {
            params: { path: { code: what.code }, header: { 'Idempotency-Key': what.key } },
            body: { through: what.through },
          }),
        );
      case 'agree':
        return body(api.POST(`${officer}/remittances/{id}/agree`, byId(what.id)));
      case 'refuse':
        return body(
          api.POST(`${officer}/remittances/{id}/refuse`, {
            ...byId(what.id),
            body: { note: what.note },
          }),
        );
    }
  });
