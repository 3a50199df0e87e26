import { ApiError } from '@furrow/shared/api/problem';
import type { Suggestion } from '@furrow/shared/api/types';
import { useMutation } from '@tanstack/react-query';
import { useCallback } from 'react';
import { suggestPlot } from '../data';
import { type Corner, cornersOf } from './ring';

/** Where the search for a field stands. */
export type Search =
  | { at: undefined; state: 'waiting' }
  | { at: Corner; state: 'asking' }
  | { at: Corner; state: 'found'; suggestion: Suggestion }
  | { at: Corner; state: 'refused'; code: string; detail: string };

/** Finds the boundary around a place that is pointed at; `onFound` takes its corners. */
export function useFinder(onFound: (corners: Corner[]) => void) {
  const { mutate, reset, variables, ...asked } = useMutation({ mutationFn: suggestPlot });
  const point = useCallback(
    (at: Corner) => mutate(at, { onSuccess: (s) => onFound(cornersOf(s.polygon)) }),
    [mutate, onFound],
  );
  return { search: searchOf(variables, asked), point, reset };
}

/** The state of a search by what was asked and what came back. */
export function searchOf(
  at: Corner | undefined,
  asked: { data?: Suggestion | undefined; error: unknown; isPending: boolean },
): Search {
  if (!at) return { at: undefined, state: 'waiting' };
  if (asked.isPending) return { at, state: 'asking' };
  if (asked.data) return { at, state: 'found', suggestion: asked.data };
  if (!asked.error) return { at: undefined, state: 'waiting' };
  const known = asked.error instanceof ApiError ? asked.error : undefined;
  return { at, state: 'refused', code: known?.code || 'unexpected', detail: known?.detail ?? '' };
}
