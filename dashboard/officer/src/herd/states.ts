import type { AnimalState } from '@furrow/shared/api/types';
import { useEffect, useState } from 'react';

/**
 * How the animals of a herd are now. Live messages are written into it in place, many
 * times a second; who shows it takes snapshots as often as it can use them, so that ten
 * thousand animals never cost a page more than what it shows of them.
 */
export class HerdStates {
  private list: AnimalState[] = [];
  private readonly places = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private taken: AnimalState[] | undefined;

  constructor(states: AnimalState[]) {
    this.load(states);
  }

  /** Takes all animals as the server answered; what was heard live since stays. */
  load(states: AnimalState[]): void {
    const before = this.list;
    this.list = states.map((s) => {
      const live = before[this.places.get(s.animal_id) ?? -1];
      return live && (live.last_heard ?? '') > (s.last_heard ?? '') ? live : s;
    });
    this.places.clear();
    for (const [i, s] of this.list.entries()) this.places.set(s.animal_id, i);
    this.changed();
  }

  /** Takes what arrived live. An animal that the herd did not have waits for the next load. */
  take(states: AnimalState[]): void {
    for (const s of states) {
      const i = this.places.get(s.animal_id);
      if (i !== undefined) this.list[i] = s;
    }
    this.changed();
  }

  /** The animals as they are now, in an array that nobody writes to. */
  snapshot(): AnimalState[] {
    this.taken ??= [...this.list];
    return this.taken;
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    this.taken = undefined;
    for (const listener of this.listeners) listener();
  }
}

/** The animals of a herd, read anew at most every so many milliseconds. */
export function useStates(store: HerdStates, every: number): AnimalState[] {
  const [shown, setShown] = useState(() => store.snapshot());
  useEffect(() => {
    let timer: number | undefined;
    const show = () => {
      timer = undefined;
      setShown(store.snapshot());
    };
    show();
    const stop = store.listen(() => {
      timer ??= window.setTimeout(show, every);
    });
    return () => {
      stop();
      window.clearTimeout(timer);
    };
  }, [store, every]);
  return shown;
}

/** Statuses, the most worrying first. */
export const statuses = ['outside', 'unverified', 'silent', 'never_entered', 'no_data', 'inside'];

const rank = new Map(statuses.map((s, i) => [s, i]));
/** An unknown status stands on top: nobody may overlook it. */
export const rankOf = (status: string) => rank.get(status) ?? -1;

/** What a list of animals is narrowed down to; "" means all. */
export interface Narrow {
  status: string;
  sign: string;
  pen: string;
  find: string;
}

/** Whether an animal is among those; `find` is part of its code or tag. */
export function among(s: AnimalState, only: Narrow): boolean {
  return (
    (!only.status || s.status === only.status) &&
    (!only.sign || (s.signs?.includes(only.sign) ?? false)) &&
    (!only.pen || s.pen_id === only.pen) &&
    (!only.find || hasText(s, only.find.toLowerCase()))
  );
}

const hasText = (s: AnimalState, part: string) =>
  s.code.toLowerCase().includes(part) || s.tag_id.toLowerCase().includes(part);

/** The animals of a status or sign, most worrying first: those with signs before those without. */
export function worst(states: AnimalState[]): AnimalState[] {
  const buckets: AnimalState[][] = Array.from({ length: 2 * (statuses.length + 1) }, () => []);
  for (const s of states) buckets[2 * (rankOf(s.status) + 1) + (s.signs?.length ? 0 : 1)]?.push(s);
  return buckets.flat();
}

/** How many animals are in each status, and show each sign. */
export function tally(states: AnimalState[]): {
  statuses: Record<string, number>;
  signs: Record<string, number>;
} {
  const out = { statuses: {} as Record<string, number>, signs: {} as Record<string, number> };
  for (const s of states) {
    out.statuses[s.status] = (out.statuses[s.status] ?? 0) + 1;
    for (const sign of s.signs ?? []) out.signs[sign] = (out.signs[sign] ?? 0) + 1;
  }
  return out;
}
