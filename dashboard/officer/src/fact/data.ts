import { api, body } from '@furrow/shared/api/client';
import { addTexts } from '@furrow/shared/i18n';
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';

addTexts(import.meta.glob('../locales/*/facts.json', { eager: true, import: 'default' }));

const officer = '/api/v1/officer';

export type FactState = 'pending' | 'accepted' | 'rejected';

/** What documents say, the oldest first. */
export function useFacts(state: FactState, firm: string) {
  return useInfiniteQuery({
    queryKey: ['facts', { state, firm }],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam: after }) =>
      body(
        api.GET(`${officer}/facts`, {
          params: {
            query: {
              state,
              limit: 20,
              ...(firm ? { firm_id: firm } : {}),
              ...(after ? { after } : {}),
            },
          },
        }),
      ),
    getNextPageParam: (last) => last.next || undefined,
    select: (data) => data.pages.flatMap((page) => page.items ?? []),
  });
}

export interface Decision {
  id: string;
  state: FactState;
  reason?: string;
  head_id?: string;
  tail_id?: string;
}

/** Accepts or rejects a fact, or takes that back; the graph of firms follows. */
export function useDecide() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...decision }: Decision) =>
      body(api.POST(`${officer}/facts/{id}/decide`, { params: { path: { id } }, body: decision })),
    onSettled: () => client.invalidateQueries(),
  });
}

/** Sends a document and says what came of it. */
export function useDocument() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ file, subject }: { file: File; subject: string }) =>
      body(
        api.POST(`${officer}/documents`, {
          body: { file: '', subject },
          bodySerializer: () => {
            const form = new FormData();
            if (subject) form.set('subject', subject);
            form.set('file', file, file.name);
            return form;
          },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['facts'] }),
  });
}
