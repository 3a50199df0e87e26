import type { Alert, Page } from '@furrow/shared/api/types';
import type { InfiniteData, QueryClient } from '@tanstack/react-query';

/**
 * Puts an alert that arrived live into every list that shows it, without asking the
 * server again. Says whether it was new to all of them.
 */
export function takeAlert(client: QueryClient, alert: Alert): boolean {
  let known = seen.has(alert.id);
  seen.add(alert.id);
  const lists = client.getQueriesData<InfiniteData<Page<Alert>>>({ queryKey: ['alerts'] });
  for (const [key, data] of lists) {
    if (!data) continue;
    const query = key[1] as { open?: boolean; kind?: string };
    known ||= data.pages.some((p) => p.items?.some((a) => a.id === alert.id));
    client.setQueryData(key, { ...data, pages: placed(data.pages, alert, query) });
  }
  refreshSoon(client, ['home']);
  refreshSoon(client, [alert.subject_kind, alert.subject_id]);
  return !known;
}

const seen = new Set<string>();
const waiting = new Map<string, number>();

/** Asks for a query again once a burst of messages is over. */
function refreshSoon(client: QueryClient, queryKey: string[]): void {
  const key = queryKey.join();
  if (waiting.has(key)) return;
  waiting.set(
    key,
    window.setTimeout(() => {
      waiting.delete(key);
      void client.invalidateQueries({ queryKey });
    }, 400),
  );
}

/** The pages with the alert replaced, added on top, or taken out once it is closed. */
export function placed(
  pages: Page<Alert>[],
  alert: Alert,
  query: { open?: boolean; kind?: string },
): Page<Alert>[] {
  const shows = !(query.open && alert.closed_at) && (!query.kind || query.kind === alert.kind);
  let there = false;
  const next = pages.map((page) => ({
    ...page,
    items: (page.items ?? []).flatMap((a) => {
      if (a.id !== alert.id) return [a];
      there = true;
      return shows ? [alert] : [];
    }),
  }));
  const [first] = next;
  if (!there && shows && first) next[0] = { ...first, items: [alert, ...first.items] };
  return next;
}
