/** What the pages of receivables ask of the API, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type { Fen, ReceivableLine } from '@furrow/shared/api/types';
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useKey } from '../key';
import type { ActKind } from './tree';

const anchor = '/api/v1/anchor';

/** What the enterprise owes, or what it holds of others. */
export type Side = 'owed' | 'held';

/** What a list is narrowed to; "" does not narrow it. */
export interface Filter {
  state: string;
  hold: string;
  number: string;
  batch: string;
  due_from: string;
  due_to: string;
  overdue: boolean;
}

const lists = (side: Side) => ['receivables', side] as const;
const one = (side: Side, id: string) => ['receivable', side, id] as const;

/** Query parameters without the empty ones. */
function query(filter: Filter, before: string) {
  const { state, hold, overdue, ...rest } = filter;
  const texts = Object.entries({ ...rest, before }).filter(([, v]) => v !== '');
  return {
    ...Object.fromEntries(texts),
    ...(state ? { state: [state] } : {}),
    ...(hold ? { hold: hold as 'asked' } : {}),
    ...(overdue ? { overdue } : {}),
    limit: 50,
  };
}

export function useLines(side: Side, filter: Filter) {
  return useInfiniteQuery({
    queryKey: [...lists(side), filter],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => {
      const params = { query: query(filter, pageParam) };
      return body(
        side === 'owed'
          ? api.GET(`${anchor}/receivables`, { params })
          : api.GET(`${anchor}/holdings`, { params }),
      );
    },
    getNextPageParam: (last) => last.next || undefined,
    select: (data) => data.pages.flatMap((page) => page.items ?? []),
  });
}

export function useLine(side: Side, id: string) {
  const params = { path: { id } };
  return useQuery({
    queryKey: one(side, id),
    queryFn: () =>
      body(
        side === 'owed'
          ? api.GET(`${anchor}/receivables/{id}`, { params })
          : api.GET(`${anchor}/holdings/{id}`, { params }),
      ),
  });
}

export function useEvents(side: Side, id: string) {
  const params = { path: { id } };
  return useQuery({
    queryKey: [...one(side, id), 'events'],
    queryFn: () =>
      body(
        side === 'owed'
          ? api.GET(`${anchor}/receivables/{id}/events`, { params })
          : api.GET(`${anchor}/holdings/{id}/events`, { params }),
      ),
  });
}

/** Keeps the answer of a change and asks again for all that it may have changed. */
function useKeep(side: Side) {
  const client = useQueryClient();
  return (line: ReceivableLine) => {
    const key = one(side, line.receivable.id);
    client.setQueryData(key, line);
    void client.invalidateQueries({ queryKey: [...key, 'events'] });
    void client.invalidateQueries({ queryKey: lists(side) });
  };
}

export interface Proposal {
  creditor_id: string;
  amount: Fen;
  due?: string;
  documents: { number?: string; document_id?: string; amount?: Fen }[];
  note?: string;
}

export function usePropose() {
  const key = useKey();
  return useMutation({
    onSuccess: useKeep('owed'),
    mutationFn: (proposal: Proposal) =>
      body(
        api.POST(`${anchor}/receivables`, {
          params: { header: key(proposal) },
          body: proposal,
        }),
      ),
  });
}

/** One act and what it needs. */
export interface Act {
  kind: ActKind;
  part_id?: string;
  amount?: Fen;
  amounts?: Fen[];
  to?: string;
  ref?: string;
  date?: string;
  note?: string;
}

type Params = { path: { id: string }; header: { 'Idempotency-Key': string } };

function send(side: Side, params: Params, { kind, ...act }: Act) {
  const { part_id, note, amount, amounts = [], to = '', ref = '', date } = act;
  const some = { params, body: { part_id, amount, note } };
  const whole = { params, body: { part_id, note } };
  switch (kind) {
    case 'confirm':
      return api.POST(`${anchor}/receivables/{id}/confirm`, { params, body: { note } });
    case 'pay':
      return api.POST(`${anchor}/receivables/{id}/pay`, {
        params,
        body: { amount: amount ?? 0, ref, date, note },
      });
    case 'cancel':
      return side === 'owed'
        ? api.POST(`${anchor}/receivables/{id}/cancel`, { params, body: { note } })
        : api.POST(`${anchor}/holdings/{id}/cancel`, whole);
    case 'accept':
      return api.POST(`${anchor}/holdings/{id}/accept`, whole);
    case 'unask':
      return api.POST(`${anchor}/holdings/{id}/unask`, whole);
    case 'ask':
      return api.POST(`${anchor}/holdings/{id}/ask`, some);
    case 'set-off':
      return api.POST(`${anchor}/holdings/{id}/set-off`, some);
    case 'split':
      return api.POST(`${anchor}/holdings/{id}/split`, { params, body: { part_id, amounts } });
    case 'transfer':
      return api.POST(`${anchor}/holdings/{id}/transfer`, {
        params,
        body: { part_id, to, amount, note },
      });
  }
}

export function useAct(side: Side, id: string) {
  const key = useKey();
  return useMutation({
    onSuccess: useKeep(side),
    mutationFn: (act: Act) => body(send(side, { path: { id }, header: key(act) }, act)),
  });
}

/** Where the template of a file of proposals is downloaded. */
export const batchTemplate = `${anchor}/receivable-files/template.xlsx`;

/** Sends a file of proposals: with `dry` it is only looked at. */
export function useBatch() {
  const client = useQueryClient();
  return useMutation({
    onSuccess: () => void client.invalidateQueries({ queryKey: lists('owed') }),
    mutationFn: ({ file, dry }: { file: File; dry: boolean }) =>
      body(
        api.POST(`${anchor}/receivable-files`, {
          // The description of the API calls a file a string of bytes.
          body: { dry_run: dry, file: file as unknown as string },
          bodySerializer: () => {
            const form = new FormData();
            form.set('dry_run', String(dry));
            form.set('file', file, file.name);
            return form;
          },
        }),
      ),
  });
}

export function useConfirmBatch(id: string) {
  const client = useQueryClient();
  const key = useKey();
  return useMutation({
    onSuccess: () => void client.invalidateQueries({ queryKey: lists('owed') }),
    mutationFn: () =>
      body(
        api.POST(`${anchor}/receivable-files/{id}/confirm`, {
          params: { path: { id }, header: key(id) },
        }),
      ),
  });
}
