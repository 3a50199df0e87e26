/**
 * Applications on their way to the bank. Each is written down on the phone before it
 * is sent and carries one idempotency key for its whole life, so that a lost answer,
 * a reload or a second tab never makes two applications of one.
 */

export type Fate = 'waiting' | 'sending' | 'sent' | 'failed';

/** What the bank is asked for; money in fen. */
export interface Ask {
  subject: { kind: 'plot' | 'herd' | 'firm'; id: string };
  product: string;
  asked: number;
  term_months: number;
  purpose: string;
  /** What the applicant agreed to: a part of the evidence and the SHA-256 of the words. */
  consents?: { part: string; text: string }[];
  /** The draft at the bank that this completes. */
  draft?: string;
}

/** One application in the outbox. */
export interface Letter {
  key: string; // idempotency key, also its id here
  user: string; // who asked: never sent under another person's session
  label: string; // name of the subject, for the list
  ask: Ask;
  fate: Fate;
  written: number; // Unix ms
  tries: number;
  application?: string; // id given by the bank, once sent
  problem?: string; // why it failed, in the words of the bank
}

/** Where letters are kept. */
export interface Shelf {
  all(): Promise<Letter[]>;
  put(letter: Letter): Promise<void>;
  drop(key: string): Promise<void>;
}

/** What came of one try. */
export type Answer =
  | { ok: true; application: string }
  | { ok: false; retry: boolean; problem?: string };

export type Post = (ask: Ask, key: string) => Promise<Answer>;

/** Sends letters one after another, oldest first; at most one round at a time. */
export class Outbox {
  private round: Promise<void> | null = null;

  constructor(
    private readonly shelf: Shelf,
    private readonly post: Post,
    private readonly changed: () => void = () => {},
  ) {}

  /** Letters of a person, newest first. */
  async of(user: string): Promise<Letter[]> {
    const all = await this.shelf.all();
    return all.filter((l) => l.user === user).sort((a, b) => b.written - a.written);
  }

  /** Writes a letter down. It is safe from then on; `send` takes it to the bank. */
  async write(letter: Omit<Letter, 'fate' | 'tries'>): Promise<void> {
    await this.put({ ...letter, fate: 'waiting', tries: 0 });
  }

  /** Tries every letter of the person that waits. A round under way is joined. */
  send(user: string): Promise<void> {
    this.round ??= this.deliver(user).finally(() => {
      this.round = null;
    });
    return this.round;
  }

  /** Puts a failed letter back in line, with the same key. */
  async again(key: string): Promise<void> {
    const letter = (await this.shelf.all()).find((l) => l.key === key);
    if (letter?.fate !== 'failed') return;
    const { problem: _, ...rest } = letter;
    await this.put({ ...rest, fate: 'waiting' });
  }

  /** Forgets a letter. */
  async drop(key: string): Promise<void> {
    await this.shelf.drop(key);
    this.changed();
  }

  private async put(letter: Letter): Promise<void> {
    await this.shelf.put(letter);
    this.changed();
  }

  private async deliver(user: string): Promise<void> {
    const waiting = (await this.of(user))
      // "sending" is what a crash leaves behind: its key makes the second try harmless.
      .filter((l) => l.fate === 'waiting' || l.fate === 'sending')
      .reverse();
    for (const letter of waiting) {
      const now: Letter = { ...letter, fate: 'sending', tries: letter.tries + 1 };
      await this.put(now);
      const answer = await this.post(letter.ask, letter.key);
      if (answer.ok) {
        await this.put({ ...now, fate: 'sent', application: answer.application });
      } else if (answer.retry) {
        await this.put({ ...now, fate: 'waiting' });
        return; // the line is down: the others would meet the same
      } else {
        await this.put({
          ...now,
          fate: 'failed',
          ...(answer.problem ? { problem: answer.problem } : {}),
        });
      }
    }
  }
}
