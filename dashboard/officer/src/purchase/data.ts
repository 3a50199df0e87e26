import { api, body } from '@furrow/shared/api/client';
import type { OfficerSellerTerms } from '@furrow/shared/api/types';
import { addTexts } from '@furrow/shared/i18n';
import { useQuery } from '@tanstack/react-query';
import { byId, given, officer, useDeed, useList } from '../pieces/query';

addTexts(import.meta.glob('../locales/*/purchase.json', { eager: true, import: 'default' }));

export type SellerState = 'proposed' | 'enrolled' | 'suspended';

export const useSellers = (state: string) =>
  useList(['sellers', state], (before) =>
    body(
      api.GET(`${officer}/sellers`, {
        params: { query: given({ state: state as SellerState | '', before, limit: 50 }) },
      }),
    ),
  );

export const usePurchases = () =>
  useList(['purchases'], (before) =>
    body(
      api.GET(`${officer}/purchases`, {
        params: { query: given({ before, limit: 50 }) },
      }),
    ),
  );

export const usePayments = (show: string) =>
  useList(['payments', show], (before) =>
    body(
      api.GET(`${officer}/payments`, {
        params: {
          query: {
            limit: 50,
            ...(show === 'disputed'
              ? { disputed: true }
              : show
                ? { outcome: show as 'settled' | 'failed' | 'unknown' }
                : {}),
            ...(before ? { before } : {}),
          },
        },
      }),
    ),
  );

export const useStatements = () =>
  useList(['statements'], (before) =>
    body(
      api.GET(`${officer}/statements`, {
        params: { query: given({ before, limit: 31 }) },
      }),
    ),
  );

export function useStatement(day: string) {
  return useQuery({
    queryKey: ['statement', day],
    queryFn: () => body(api.GET(`${officer}/statements/{day}`, { params: { path: { day } } })),
  });
}

export function useTrace(loan: string) {
  return useQuery({
    queryKey: ['trace', loan],
    queryFn: () => body(api.GET(`${officer}/loans/{id}/trace`, byId(loan))),
  });
}

export function usePayment(id: string) {
  return useQuery({
    queryKey: ['payment', id],
    queryFn: () => body(api.GET(`${officer}/payments/{id}`, byId(id))),
  });
}

export const useEnrol = () =>
  useDeed((sent: OfficerSellerTerms & { firm_id: string }) =>
    body(api.POST(`${officer}/sellers`, { body: sent })),
  );

export const useAmend = (id: string) =>
  useDeed((sent: OfficerSellerTerms) =>
    body(api.POST(`${officer}/sellers/{id}/amend`, { ...byId(id), body: sent })),
  );

export const useSellerDeed = () =>
  useDeed(
    ({
      id,
      deed,
      reason = '',
    }: {
      id: string;
      deed: 'approve' | 'suspend' | 'reinstate';
      reason?: string;
    }) =>
      deed === 'suspend'
        ? body(api.POST(`${officer}/sellers/{id}/suspend`, { ...byId(id), body: { reason } }))
        : body(api.POST(`${officer}/sellers/{id}/${deed}`, byId(id))),
  );

export const useAsk = () =>
  useDeed((id: string) => body(api.POST(`${officer}/payments/{id}/ask`, byId(id))));

export const useCompare = () =>
  useDeed(({ day, file }: { day: string; file: File }) =>
    body(
      api.POST(`${officer}/statements`, {
        body: { day, file: '' },
        bodySerializer: () => {
          const form = new FormData();
          form.set('day', day);
          form.set('file', file, file.name);
          return form;
        },
      }),
    ),
  );

export type Resolution =
  | { id: string; deed: 'explain' | 'book'; note: string }
  | { id: string; deed: 'confirm' | 'reject' };

export const useResolve = (day: string) =>
  useDeed((what: Resolution) => {
    const params = { path: { day, id: what.id } };
    const one = `${officer}/statements/{day}/differences/{id}` as const;
    return 'note' in what
      ? body(api.POST(`${one}/resolve`, { params, body: { action: what.deed, note: what.note } }))
      : body(api.POST(`${one}/${what.deed}`, { params }));
  });
