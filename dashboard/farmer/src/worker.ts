/** The service worker: what it keeps lets the face open without a network. */
import { registerSW } from 'virtual:pwa-register';
import { useSyncExternalStore } from 'react';

/** Caches that hold a person's own data; the worker fills them. */
export const OWN_CACHES = ['furrow-own', 'furrow-tiles'];

interface State {
  ready: boolean;
  fresh: boolean;
}

let state: State = { ready: false, fresh: false };
let update: ((reload?: boolean) => Promise<void>) | undefined;
const listeners = new Set<() => void>();

function become(change: Partial<State>): void {
  state = { ...state, ...change };
  for (const changed of listeners) changed();
}

/** Registers the worker where there is one to register. */
export function startWorker(): void {
  if (!('serviceWorker' in navigator)) return;
  update = registerSW({
    onNeedRefresh: () => become({ fresh: true }),
    onOfflineReady: () => become({ ready: true }),
  });
  void navigator.serviceWorker.ready.then(() => become({ ready: true }));
}

/** Whether the face opens offline, and whether a newer one waits. */
export function useWorker(): State & { renew(): void } {
  const now = useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    () => state,
  );
  return { ...now, renew: () => void update?.(true) };
}

/** Forgets what the worker kept of a person. */
export async function forgetOwn(): Promise<void> {
  if (!('caches' in window)) return;
  await Promise.all(OWN_CACHES.map((name) => caches.delete(name)));
}
