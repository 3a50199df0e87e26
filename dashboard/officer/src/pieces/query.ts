import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';

/** Where the operations of this face are. */
export const officer = '/api/v1/officer';

export const byId = (id: string) => ({ params: { path: { id } } });

/** Query parameters without the empty ones. */
export function given<T extends object>(query: T): { [K in keyof T]?: Exclude<T[K], ''> } {
  const kept = Object.entries(query).filter(([, v]) => v !== '' && v !== false && v !== undefined);
  return Object.fromEntries(kept) as ReturnType<typeof given<T>>;
}

/** A list that is read page by page: `read` takes the cursor of the page, "" for the first. */
export function useList<T>(
  key: unknown[],
  read: (cursor: string) => Promise<{ items: T[] | null; next?: string }>,
) {
  return useInfiniteQuery({
    queryKey: key,
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => read(pageParam),
    getNextPageParam: (last) => last.next || undefined,
    select: (data) => data.pages.flatMap((page) => page.items ?? []),
  });
}

/** A change after which everything is read again, also when it was refused. */
export function useDeed<T, R = unknown>(act: (deed: T) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => client.invalidateQueries() });
}
