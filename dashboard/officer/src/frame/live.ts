import type { Alert, OfficerHerdPage, Page } from '@furrow/shared/api/types';
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
  refreshSoon(client, ['home'], SOON_MS);
  if (alert.subject_kind === 'herd') takeOfHerd(client, alert);
  refreshSoon(
    client,
    [alert.subject_kind, alert.subject_id],
    alert.subject_kind === 'herd' ? HERD_MS : SOON_MS,
  );
  return !known;
}

const seen = new Set<string>();
const waiting = new Map<string, number>();

const SOON_MS = 400;
/** The page of a herd has all of its animals; its alerts need not wait for them. */
const HERD_MS = 3_000;

/** Puts an alert on the page of its herd at once. */
function takeOfHerd(client: QueryClient, alert: Alert): void {
  client.setQueryData<OfficerHerdPage>(['herd', alert.subject_id], (old) =>
    old ? { ...old, alerts: [alert, ...(old.alerts ?? []).filter((a) => a.id !== alert.id)] } : old,
  );
}

/** Asks for a query again once a burst of messages is over. */
function refreshSoon(client: QueryClient, queryKey: string[], after: number): void {
  const key = queryKey.join();
  if (waiting.has(key)) return;
  waiting.set(
    key,
    window.setTimeout(() => {
      waiting.delete(key);
      void client.invalidateQueries({ queryKey });
    }, after),
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
