/** The outbox on the phone's own database, and the way from there to the bank. */
import { api, body } from '@furrow/shared/api/client';
import { ApiError } from '@furrow/shared/api/problem';
import type { Application } from '@furrow/shared/api/types';
import { type DBSchema, openDB } from 'idb';
import type { Answer, Ask, Letter, Shelf } from './outbox';

interface Schema extends DBSchema {
  letters: { key: string; value: Letter };
}

const open = () =>
  openDB<Schema>('furrow-farmer', 1, {
    upgrade: (db) => void db.createObjectStore('letters', { keyPath: 'key' }),
  });

/** Letters in IndexedDB. */
export function phoneShelf(): Shelf {
  let db: ReturnType<typeof open> | undefined;
  const get = () => {
    db ??= open();
    return db;
  };
  return {
    all: async () => (await get()).getAll('letters'),
    put: async (letter) => void (await (await get()).put('letters', letter)),
    drop: async (key) => (await get()).delete('letters', key),
  };
}

/** Hands one application in; what may pass by itself is to be tried again. */
export async function post({ draft, ...ask }: Ask, key: string): Promise<Answer> {
  try {
    const application = (draft && (await complete(draft, ask))) || (await begin(ask, key));
    return { ok: true, application: application.id };
  } catch (e) {
    if (!(e instanceof ApiError)) return { ok: false, retry: true };
    return { ok: false, retry: passes(e.status), problem: e.detail };
  }
}

function begin(ask: Omit<Ask, 'draft'>, key: string): Promise<Application> {
  return body<Application>(
    api.POST('/api/v1/farmer/applications', {
      params: { header: { 'Idempotency-Key': key } },
      body: ask,
    }),
  );
}

/** Sends a draft that the bank keeps; null when it is gone there, so that it is begun anew. */
async function complete(
  id: string,
  { consents, ...rest }: Omit<Ask, 'draft'>,
): Promise<Application | null> {
  const params = { path: { id } };
  try {
    await body(api.PUT('/api/v1/farmer/drafts/{id}', { params, body: rest })).catch(sent);
    return await body<Application>(
      api.POST('/api/v1/farmer/drafts/{id}/send', {
        params,
        body: consents ? { consents } : {},
      }),
    );
  } catch (e) {
    if (e instanceof ApiError && (e.status === 404 || e.code === 'application.state')) return null;
    throw e;
  }
}

/** A draft that was sent before its answer was lost cannot be changed, but asked again. */
function sent(e: unknown): void {
  if (!(e instanceof ApiError) || e.code !== 'application.state') throw e;
}

/** No network, signed out, too busy or broken for now: not the applicant's fault. */
function passes(status: number): boolean {
  return status === 0 || status === 401 || status === 408 || status === 429 || status >= 500;
}
