import { beforeEach, expect, test } from 'vitest';
import { type Answer, type Ask, type Letter, Outbox, type Shelf } from '../src/apply/outbox';

const ask: Ask = {
  subject: { kind: 'plot', id: 'p1' },
  product: 'crop',
  asked: 3_000_000,
  term_months: 6,
  purpose: 'seed',
};

/** A shelf that keeps copies, as a database does. */
function memoryShelf(): Shelf & { letters: Map<string, Letter> } {
  const letters = new Map<string, Letter>();
  return {
    letters,
    all: async () => structuredClone([...letters.values()]),
    put: async (l) => void letters.set(l.key, structuredClone(l)),
    drop: async (key) => void letters.delete(key),
  };
}

/** A bank that keeps one application for each key, as the server does. */
function bank() {
  const kept = new Map<string, string>();
  const state = { up: true, answerLost: false, refuse: '' };
  const post = async (_: Ask, key: string): Promise<Answer> => {
    if (!state.up) return { ok: false, retry: true };
    if (state.refuse) return { ok: false, retry: false, problem: state.refuse };
    if (!kept.has(key)) kept.set(key, `a${kept.size + 1}`);
    if (state.answerLost) return { ok: false, retry: true };
    return { ok: true, application: kept.get(key) as string };
  };
  return { kept, state, post };
}

let shelf: ReturnType<typeof memoryShelf>;
let b: ReturnType<typeof bank>;
let outbox: Outbox;
const write = (key: string, user = 'u1', written = 1) =>
  outbox.write({ key, user, label: 'field', ask, written });

beforeEach(() => {
  shelf = memoryShelf();
  b = bank();
  outbox = new Outbox(shelf, b.post);
});

test('a letter is written before it is sent, and sent once', async () => {
  await write('k1');
  expect(shelf.letters.get('k1')?.fate).toBe('waiting');
  await outbox.send('u1');
  await outbox.send('u1');
  expect(shelf.letters.get('k1')).toMatchObject({ fate: 'sent', application: 'a1', tries: 1 });
  expect(b.kept.size).toBe(1);
});

test('without a network it waits, and goes when the network is back', async () => {
  b.state.up = false;
  await write('k1');
  await outbox.send('u1');
  expect(shelf.letters.get('k1')).toMatchObject({ fate: 'waiting', tries: 1 });
  b.state.up = true;
  await outbox.send('u1');
  expect(shelf.letters.get('k1')?.fate).toBe('sent');
});

test('a lost answer makes no second application', async () => {
  b.state.answerLost = true;
  await write('k1');
  await outbox.send('u1');
  b.state.answerLost = false;
  await outbox.send('u1');
  expect(b.kept.size).toBe(1);
  expect(shelf.letters.get('k1')?.application).toBe('a1');
});

test('what a crash left in the middle is sent again under the same key', async () => {
  await shelf.put({ key: 'k1', user: 'u1', label: '', ask, fate: 'sending', written: 1, tries: 1 });
  b.kept.set('k1', 'a9');
  await outbox.send('u1');
  expect(shelf.letters.get('k1')?.application).toBe('a9');
  expect(b.kept.size).toBe(1);
});

test('two sends at once are one round', async () => {
  await write('k1');
  await Promise.all([outbox.send('u1'), outbox.send('u1')]);
  expect(shelf.letters.get('k1')?.tries).toBe(1);
});

test('a refusal is shown in the words of the bank and can be tried again', async () => {
  b.state.refuse = 'ask for less';
  await write('k1');
  await outbox.send('u1');
  expect(shelf.letters.get('k1')).toMatchObject({ fate: 'failed', problem: 'ask for less' });
  await outbox.send('u1');
  expect(shelf.letters.get('k1')?.tries).toBe(1);
  b.state.refuse = '';
  await outbox.again('k1');
  await outbox.send('u1');
  const letter = shelf.letters.get('k1');
  expect(letter?.fate).toBe('sent');
  expect(letter).not.toHaveProperty('problem');
});

test('one refused letter does not hold up the next', async () => {
  await write('k1', 'u1', 1);
  await write('k2', 'u1', 2);
  b.state.refuse = 'no';
  await outbox.send('u1');
  expect([...shelf.letters.values()].map((l) => l.fate)).toEqual(['failed', 'failed']);
});

test('nobody sends under another person', async () => {
  await write('k1', 'u1');
  await outbox.send('u2');
  expect(shelf.letters.get('k1')?.fate).toBe('waiting');
  expect(await outbox.of('u2')).toEqual([]);
});
