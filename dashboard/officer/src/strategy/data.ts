import { api, body } from '@furrow/shared/api/client';
import type { PolicyInUse } from '@furrow/shared/api/types';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

const officer = '/api/v1/officer';
const one = (id: string) => ({ params: { path: { id } } });

/** Policies by name, with what decides now. */
export function usePolicies() {
  return useQuery({
    queryKey: ['policies'],
    queryFn: async () => (await body(api.GET(`${officer}/strategies`))).items ?? [],
  });
}

/** One policy; undefined when there is none of that name. */
export function usePolicy(name: string) {
  const query = usePolicies();
  const found: PolicyInUse | undefined = query.data?.find((p) => p.name === name);
  return { ...query, found };
}

/** The versions of a policy, newest first. */
export function useVersions(name: string) {
  return useQuery({
    queryKey: ['policy-versions', name],
    queryFn: async () => {
      const params = { query: { name, limit: 200 } };
      return (await body(api.GET(`${officer}/strategy-versions`, { params }))).items ?? [];
    },
  });
}

/** A version with its text and its moves. */
export function useVersion(id: string) {
  return useQuery({
    queryKey: ['policy-version', id],
    enabled: id !== '',
    queryFn: () => body(api.GET(`${officer}/strategy-versions/{id}`, one(id))),
  });
}

function useChanged() {
  const client = useQueryClient();
  return () => {
    for (const key of ['policies', 'policy-versions', 'policy-version', 'shadow'])
      void client.invalidateQueries({ queryKey: [key] });
  };
}

/** Keeps a text: as a new draft, or in place of the text of one. */
export function useSave() {
  const changed = useChanged();
  return useMutation({
    mutationFn: (v: {
      of: { id: string; revision: number } | undefined;
      source: string;
      note: string;
      basedOn: string;
    }) => {
      const { source, note } = v;
      if (v.of) {
        const draft = { source, note, revision: v.of.revision };
        return body(
          api.POST(`${officer}/strategy-versions/{id}/revise`, { ...one(v.of.id), body: draft }),
        );
      }
      const draft = { source, note, ...(v.basedOn ? { based_on: v.basedOn } : {}) };
      return body(api.POST(`${officer}/strategy-versions`, { body: draft }));
    },
    onSuccess: changed,
  });
}

export type Move =
  | 'submit'
  | 'recall'
  | 'approve'
  | 'reject'
  | 'publish'
  | 'challenge'
  | 'observe'
  | 'stop';

export function useMove(id: string) {
  const changed = useChanged();
  return useMutation({
    mutationFn: (m: { to: Move; note: string; share_bp?: number }) =>
      body(api.POST(`${officer}/strategy-versions/{id}/move`, { ...one(id), body: m })),
    onSettled: changed,
  });
}

/** What a text decides about an application beside what was decided; nothing is kept. */
export function useTry() {
  return useMutation({
    mutationFn: (v: { source: string; application_id: string }) =>
      body(api.POST(`${officer}/strategies/try`, { body: v })),
  });
}

/** Decides the past anew by a version; the signal of `stop` ends it. */
export function useBackTest(id: string) {
  return useMutation({
    mutationFn: (v: { limit: number; product: string; stop: AbortSignal }) =>
      body(
        api.POST(`${officer}/strategy-versions/{id}/back-test`, {
          ...one(id),
          body: { limit: v.limit, ...(v.product ? { product: v.product } : {}) },
          signal: v.stop,
        }),
      ),
  });
}

/** What a shadow would have decided beside what was. */
export function useShadow(id: string, on: boolean) {
  return useQuery({
    queryKey: ['shadow', id],
    enabled: on,
    queryFn: () => body(api.GET(`${officer}/strategy-versions/{id}/shadow`, one(id))),
  });
}
