/** What a person has entered but not sent, kept on the phone through reload and crash. */
import type { Corner } from '../draw/ring.ts';
import type { Ask } from './outbox.ts';

/** An application half filled in; amounts as typed, in yuan. */
export interface ApplyDraft {
  step: number;
  key: string; // idempotency key, given when the draft began
  subject?: Ask['subject'];
  label?: string;
  product?: string;
  yuan?: string;
  term?: number;
  purpose?: string;
  /** The same draft at the bank, once it has one there: it outlives this phone. */
  saved?: string;
}

/** A plot half drawn. */
export interface PlotDraft {
  corners: Corner[];
  closed: boolean;
  name: string;
  crop: string;
  /** The area that its holder states, as typed, in mu. */
  claim?: string;
}

interface Drafts {
  apply: ApplyDraft;
  plot: PlotDraft;
}

const place = (user: string, kind: string) => `furrow.farmer.${kind}.${user}`;

/** The draft of a person, or null when there is none or it cannot be read. */
export function load<K extends keyof Drafts>(
  store: Storage,
  user: string,
  kind: K,
): Drafts[K] | null {
  try {
    const text = store.getItem(place(user, kind));
    const value: unknown = text ? JSON.parse(text) : null;
    return value && typeof value === 'object' ? (value as Drafts[K]) : null;
  } catch {
    return null; // a storage that is denied or damaged is an absent draft
  }
}

/** Keeps a draft; false when the phone refuses (private mode, full). */
export function keep<K extends keyof Drafts>(
  store: Storage,
  user: string,
  kind: K,
  draft: Drafts[K],
): boolean {
  try {
    store.setItem(place(user, kind), JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

/** Forgets a draft. */
export function forget(store: Storage, user: string, kind: keyof Drafts): void {
  try {
    store.removeItem(place(user, kind));
  } catch {
    // nothing was kept, so nothing is left behind
  }
}
