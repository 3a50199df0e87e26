/** Finding an animal in the list by what stands on its ear. */
import type { Animal, AnimalState } from '@furrow/shared/api/types';

/** An animal of the list with how it is now; those that are gone have no state. */
export interface Line {
  animal: Animal;
  state?: AnimalState;
}

/** Joins the animals of a herd with their states: those in trouble first, the gone last. */
export function lines(animals: readonly Animal[], states: readonly AnimalState[]): Line[] {
  const by = new Map(states.map((s) => [s.animal_id, s]));
  const rank = (l: Line) => (isGone(l.animal) ? 2 : l.state && l.state.status !== 'inside' ? 0 : 1);
  return animals
    .map((animal): Line => ({ animal, state: by.get(animal.id) }))
    .sort((a, b) => rank(a) - rank(b) || (nameOf(a.animal) < nameOf(b.animal) ? -1 : 1));
}

/** Whether an animal has died or left. */
export const isGone = (a: Pick<Animal, 'status'>) => a.status === 'dead' || a.status === 'off_farm';

/** What people call an animal: its code, else its tag; "" of one that has neither yet. */
export const nameOf = (a: Pick<Animal, 'identity' | 'tag_id'>) => a.identity.code || a.tag_id;

/** What was typed as codes are stored: full-width forms narrow, no spaces, small. */
export const plain = (typed: string) => typed.normalize('NFKC').replace(/\s/g, '').toLowerCase();

/**
 * The lines whose code ends with what was typed, then those whose tag or code has it
 * anywhere; all when nothing was typed.
 */
export function find(all: readonly Line[], typed: string): Line[] {
  const part = plain(typed);
  if (!part) return [...all];
  const ends: Line[] = [];
  const within: Line[] = [];
  for (const line of all) {
    const code = line.animal.identity.code.toLowerCase();
    const tag = line.animal.tag_id.toLowerCase();
    if (code.endsWith(part) || tag.endsWith(part)) ends.push(line);
    else if (code.includes(part) || tag.includes(part)) within.push(line);
  }
  return [...ends, ...within];
}

const MONTH = 30.4375 * 24 * 3600 * 1000;

/** Whole months from birth to `now`, undefined when the birth is not known. */
export function monthsOld(born: string, now: number): number | undefined {
  if (!born || born.startsWith('0001-')) return undefined;
  const months = Math.floor((now - Date.parse(born)) / MONTH);
  return Number.isNaN(months) ? undefined : Math.max(0, months);
}
