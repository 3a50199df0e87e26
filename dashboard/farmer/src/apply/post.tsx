/** The outbox for components: what is in it, and sending whenever there is a network. */
import { useSession } from '@furrow/shared/session';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { keys } from '../data';
import { Outbox } from './outbox';
import { phoneShelf, post } from './shelf';

const letters = ['letters'] as const;
const RETRY = 20_000;

interface Post {
  outbox: Outbox;
  send(): Promise<void>;
}

const PostContext = createContext<Post | null>(null);

/** Sends what waits: at once, when the network comes back, and every 20 s while something waits. */
export function PostProvider(props: { children: ReactNode }) {
  const client = useQueryClient();
  const { user } = useSession();

  const value = useMemo<Post>(() => {
    const outbox = new Outbox(phoneShelf(), post, () => {
      void client.invalidateQueries({ queryKey: letters });
    });
    const send = async () => {
      const round = () => outbox.send(user.id);
      // One tab sends at a time; others leave it to that one.
      if (navigator.locks) {
        await navigator.locks.request('furrow-outbox', { ifAvailable: true }, async (lock) => {
          if (lock) await round();
        });
      } else {
        await round();
      }
      await client.invalidateQueries({ queryKey: keys.home });
    };
    return { outbox, send };
  }, [client, user.id]);

  useEffect(() => {
    const send = () => void value.send();
    const tick = async () => {
      const all = await value.outbox.of(user.id);
      if (navigator.onLine && all.some((l) => l.fate === 'waiting')) send();
    };
    send();
    window.addEventListener('online', send);
    const timer = window.setInterval(() => void tick(), RETRY);
    return () => {
      window.removeEventListener('online', send);
      window.clearInterval(timer);
    };
  }, [value, user.id]);

  return <PostContext.Provider value={value}>{props.children}</PostContext.Provider>;
}

export function usePost(): Post {
  const value = useContext(PostContext);
  if (!value) throw new Error('usePost needs PostProvider around it');
  return value;
}

/** The letters of the signed-in person, newest first. */
export function useLetters() {
  const { outbox } = usePost();
  const { user } = useSession();
  return useQuery({
    queryKey: [...letters, user.id],
    networkMode: 'always',
    queryFn: () => outbox.of(user.id),
  });
}
