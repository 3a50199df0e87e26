import { useFormats } from '@furrow/shared/format';
import { useSyncExternalStore } from 'react';

const MINUTE = 60_000;
const listeners = new Set<() => void>();
let timer: number | undefined;
let now = Date.now();

/** One clock for every row: it ticks once a minute while anybody looks. */
function watch(changed: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = window.setInterval(() => {
      now = Date.now();
      for (const listener of listeners) listener();
    }, MINUTE);
  }
  listeners.add(changed);
  return () => {
    listeners.delete(changed);
    if (listeners.size === 0) window.clearInterval(timer);
  };
}

/** How long ago something was; it goes on by itself, and what is around it stays. */
export function Ago(props: { since: string }) {
  const f = useFormats();
  const tick = useSyncExternalStore(watch, () => now);
  // What arrived since the last tick is not in the future.
  return f.ago(props.since, Math.max(tick, Date.parse(props.since)));
}
