import { api, body } from '@furrow/shared/api/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

const officer = '/api/v1/officer';

/** The register of models that score. */
export function useModels() {
  return useQuery({
    queryKey: ['models'],
    queryFn: async () => (await body(api.GET(`${officer}/models`))).items ?? [],
  });
}

/** Puts the file of a fitted model into the register, as a draft. */
export function useAdd() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (m: {
      file: File;
      owner: string;
      applicant: 'farmer' | 'herder' | 'firm' | 'any';
    }) =>
      body(
        api.POST(`${officer}/models`, {
          body: { ...m, file: '' },
          bodySerializer: () => {
            const form = new FormData();
            form.set('owner', m.owner);
            form.set('applicant', m.applicant);
            form.set('file', m.file, m.file.name);
            return form;
          },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['models'] }),
  });
}

const one = (name: string, version: string) => ({ params: { path: { name, version } } });

/** A version with its record, its reviews and its tables. */
export function useModel(name: string, version: string) {
  return useQuery({
    queryKey: ['model', name, version],
    queryFn: () => body(api.GET(`${officer}/models/{name}/{version}`, one(name, version))),
  });
}

/** How a version fares, over three years. */
export function useMonitoring(name: string, version: string) {
  return useQuery({
    queryKey: ['model-monitor', name, version],
    staleTime: 300_000,
    queryFn: () => body(api.GET(`${officer}/models/{name}/{version}/monitor`, one(name, version))),
  });
}

export type Step = 'submit' | 'publish' | 'retire' | 'approve' | 'return';

/** What can be done with a model by its status; the server knows who may. */
export function stepsFrom(status: string, approved: boolean): Step[] {
  if (status === 'draft') return ['submit', 'retire'];
  if (status === 'in_review')
    return approved ? ['publish', 'approve', 'return', 'retire'] : ['approve', 'return', 'retire'];
  return status === 'published' ? ['approve', 'retire'] : [];
}

/** Moves a model; a review says what was found. */
export function useStep(name: string, version: string) {
  const client = useQueryClient();
  const at = one(name, version);
  return useMutation({
    mutationFn: ({ step, note }: { step: Step; note: string }) => {
      switch (step) {
        case 'submit':
          return body(api.POST(`${officer}/models/{name}/{version}/submit`, at));
        case 'publish':
          return body(api.POST(`${officer}/models/{name}/{version}/publish`, at));
        case 'retire':
          return body(api.POST(`${officer}/models/{name}/{version}/retire`, at));
        default:
          return body(
            api.POST(`${officer}/models/{name}/{version}/review`, {
              ...at,
              body: { verdict: step, note },
            }),
          );
      }
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['models'] });
      void client.invalidateQueries({ queryKey: ['model', name, version] });
    },
  });
}
