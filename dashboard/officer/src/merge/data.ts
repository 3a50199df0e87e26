import { api, body } from '@furrow/shared/api/client';
import { addTexts } from '@furrow/shared/i18n';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

addTexts(import.meta.glob('../locales/*/merges.json', { eager: true, import: 'default' }));

const officer = '/api/v1/officer';

/** Pairs of firms that may be one, the surest first. */
export function useSuggestions() {
  return useQuery({
    queryKey: ['merge-suggestions'],
    queryFn: async () => (await body(api.GET(`${officer}/merges/suggestions`))).items ?? [],
  });
}

/** Who said what about which firms, newest first. */
export function useMerges() {
  return useQuery({
    queryKey: ['merges'],
    queryFn: async () => (await body(api.GET(`${officer}/merges`))).items ?? [],
  });
}

/** Says that two firms are one, or are not. */
export function useMerge() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (m: { firm_id: string; other_id: string; same: boolean; why: string }) =>
      body(api.POST(`${officer}/merges`, { body: m })),
    onSettled: () => client.invalidateQueries(),
  });
}

/** Takes what was said back. */
export function useUndo() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, why }: { id: string; why: string }) =>
      body(api.POST(`${officer}/merges/{id}/undo`, { params: { path: { id } }, body: { why } })),
    onSettled: () => client.invalidateQueries(),
  });
}
