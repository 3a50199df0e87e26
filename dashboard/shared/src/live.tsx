import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import type { LiveMessage } from './api/types';

export type LiveStatus = 'connecting' | 'open' | 'lost';

const subscription = (herd: string) => JSON.stringify({ subscribe: { herd } });

type Listener = (message: LiveMessage) => void;

interface Live {
  status: LiveStatus;
  listen(listener: Listener): () => void;
  /** Asks for the positions of one herd, "" for none; kept over reconnects. */
  watch(herdId: string): void;
}

const LiveContext = createContext<Live | null>(null);

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/** How long to wait before try `n` (from 0): doubling, with up to half of it random. */
export function wait(n: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** n);
  return full / 2 + (full / 2) * random();
}

/**
 * Keeps one WebSocket to /api/v1/live open for the whole face and reconnects when it
 * breaks. `onReconnect` is called after a break, when messages may have been missed.
 */
export function LiveProvider(props: { onReconnect?: () => void; children: ReactNode }) {
  const [status, setStatus] = useState<LiveStatus>('connecting');
  const listeners = useRef(new Set<Listener>());
  const socket = useRef<WebSocket>(undefined);
  const herd = useRef('');
  const onReconnect = useRef(props.onReconnect);
  onReconnect.current = props.onReconnect;

  useEffect(() => {
    let timer: number | undefined;
    let tries = 0;
    let broke = false;
    let over = false;

    const connect = () => {
      const url = new URL('/api/v1/live', location.href);
      url.protocol = url.protocol.replace('http', 'ws');
      const line = new WebSocket(url);
      socket.current = line;
      line.onopen = () => {
        tries = 0;
        setStatus('open');
        if (herd.current) line.send(subscription(herd.current));
        if (broke) onReconnect.current?.();
      };
      line.onmessage = (event) => {
        const message = JSON.parse(event.data) as LiveMessage;
        for (const listener of listeners.current) listener(message);
      };
      line.onclose = () => {
        if (over) return;
        broke = true;
        setStatus('lost');
        timer = window.setTimeout(connect, wait(tries++));
      };
    };
    connect();
    return () => {
      over = true;
      window.clearTimeout(timer);
      socket.current?.close();
    };
  }, []);

  const calls = useMemo(
    () => ({
      listen(listener: Listener) {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
      watch(herdId: string) {
        herd.current = herdId;
        if (socket.current?.readyState === WebSocket.OPEN)
          socket.current.send(subscription(herdId));
      },
    }),
    [],
  );
  const live = useMemo<Live>(() => ({ status, ...calls }), [status, calls]);
  return <LiveContext.Provider value={live}>{props.children}</LiveContext.Provider>;
}

function useLiveContext(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error('live hooks need LiveProvider around them');
  return live;
}

/** Calls `listener` for every live message while the component is shown. */
export function useLive(listener: Listener): void {
  const { listen } = useLiveContext();
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => listen((message) => latest.current(message)), [listen]);
}

export function useLiveStatus(): LiveStatus {
  return useLiveContext().status;
}

/** Has the positions of a herd sent while the component is shown. */
export function useHerdPositions(herdId: string): void {
  const { watch } = useLiveContext();
  useEffect(() => {
    watch(herdId);
    return () => watch('');
  }, [watch, herdId]);
}
