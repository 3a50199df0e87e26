import { idempotencyKey } from '@furrow/shared/api/client';
import { useRef } from 'react';

/** Gives the same key for the same content, so that what is tried again happens once. */
export function useKey() {
  const last = useRef({ content: '', key: '' });
  return (content: unknown) => {
    const text = JSON.stringify(content);
    if (last.current.content !== text) last.current = { content: text, key: idempotencyKey() };
    return { 'Idempotency-Key': last.current.key };
  };
}
