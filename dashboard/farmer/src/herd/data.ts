/** What the herder's doors of the API give and take, as hooks. */
import { api, body } from '@furrow/shared/api/client';
import type { BirthInBody, ClaimInBody, FarmerAnimalEvent } from '@furrow/shared/api/types';
import { useHerdPositions, useLive } from '@furrow/shared/live';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { keys } from '../data';
import { freshened } from './evidence';

const herdKey = (id: string) => ['herd', id] as const;
const animalsKey = (id: string) => ['herd', id, 'animals'] as const;
const animalKey = (id: string) => ['animal', id] as const;

export function useHerd(id: string) {
  return useQuery({
    queryKey: herdKey(id),
    enabled: !!id,
    queryFn: () => body(api.GET('/api/v1/farmer/herds/{id}', { params: { path: { id } } })),
  });
}

export type HerdNow = NonNullable<ReturnType<typeof useHerd>['data']>;

/** Takes positions into the herd's data as they arrive. */
export function useLiveHerd(id: string): void {
  const client = useQueryClient();
  useHerdPositions(id);
  useLive((message) => {
    if (message.type === 'positions' && message.herd_id === id)
      client.setQueryData<HerdNow>(
        herdKey(id),
        (old) => old && { ...old, states: freshened(old.states, message.states) },
      );
  });
}

/** Every animal that is or was in the herd. */
export function useAnimals(id: string) {
  return useQuery({
    queryKey: animalsKey(id),
    enabled: !!id,
    queryFn: async () =>
      (await body(api.GET('/api/v1/farmer/herds/{id}/animals', { params: { path: { id } } })))
        .items ?? [],
  });
}

export function useAnimal(id: string) {
  return useQuery({
    queryKey: animalKey(id),
    queryFn: () => body(api.GET('/api/v1/farmer/animals/{id}', { params: { path: { id } } })),
  });
}

export type AnimalLife = NonNullable<ReturnType<typeof useAnimal>['data']>;

/** A change of herds; everything that may show it is asked again, also when it failed. */
function useChange<In, Out>(change: (input: In) => Promise<Out>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    // What a device signs in with stays nowhere longer than it is shown.
    gcTime: 0,
    onSettled: () => {
      for (const queryKey of [['herd'], ['animal'], keys.home])
        void client.invalidateQueries({ queryKey });
    },
  });
}

export function useReport(id: string) {
  return useChange((event: FarmerAnimalEvent) =>
    body(api.POST('/api/v1/farmer/animals/{id}/events', { params: { path: { id } }, body: event })),
  );
}

export function useBirth(dam: string) {
  return useChange(({ key, ...young }: BirthInBody & { key: string }) =>
    body(
      api.POST('/api/v1/farmer/animals/{id}/births', {
        params: { path: { id: dam }, header: { 'Idempotency-Key': key } },
        body: young,
      }),
    ),
  );
}

export function useClaim(herd: string) {
  return useChange((claim: ClaimInBody) =>
    body(
      api.POST('/api/v1/farmer/herds/{id}/devices', {
        params: { path: { id: herd } },
        body: claim,
      }),
    ),
  );
}
