import { useEffect, useRef } from 'react';

const typing = (el: EventTarget | null) =>
  el instanceof HTMLElement &&
  (el.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(el.tagName));

/**
 * Calls the action of a key, or of two keys in a row ("g a"), unless the reader is
 * typing. Escape leaves a field.
 */
export function useKeys(actions: Record<string, () => void>): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    let first = '';
    let at = 0;
    const press = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (typing(e.target)) {
        if (e.key === 'Escape') (e.target as HTMLElement).blur();
        return;
      }
      const pair = e.timeStamp - at < 1000 ? `${first} ${e.key}` : '';
      const action = latest.current[pair] ?? latest.current[e.key];
      first = e.key;
      at = e.timeStamp;
      if (!action) return;
      e.preventDefault();
      action();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
}
