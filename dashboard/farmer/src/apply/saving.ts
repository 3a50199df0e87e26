/** Keeps a draft at the bank too, so that it can be gone on with on another phone. */
import { api, body } from '@furrow/shared/api/client';
import { ApiError } from '@furrow/shared/api/problem';
import type { Application } from '@furrow/shared/api/types';
import { fen } from './amount';
import type { ApplyDraft } from './draft';

/** What the bank takes of a draft. */
export function partial(draft: ApplyDraft) {
  const asked = fen(draft.yuan ?? '');
  return {
    ...(draft.subject ? { subject: draft.subject } : {}),
    ...(draft.product ? { product: draft.product } : {}),
    ...(asked ? { asked } : {}),
    ...(draft.term ? { term_months: draft.term } : {}),
    ...(draft.purpose?.trim() ? { purpose: draft.purpose.trim() } : {}),
  };
}

/**
 * Saves a draft and returns its id there. It is only a second copy: what the bank cannot
 * take now (no network, an answer that is not right yet) stays on the phone alone.
 */
export async function save(draft: ApplyDraft): Promise<string | undefined> {
  try {
    if (draft.saved) {
      const params = { path: { id: draft.saved } };
      await api.PUT('/api/v1/farmer/drafts/{id}', { params, body: partial(draft) });
      return draft.saved;
    }
    const made = await body<Application>(
      api.POST('/api/v1/farmer/drafts', {
        // A draft of its own beside the application that is made without one.
        params: { header: { 'Idempotency-Key': crypto.randomUUID() } },
        body: partial(draft),
      }),
    );
    return made.id;
  } catch (e) {
    if (e instanceof ApiError && e.status === 404) return undefined;
    return draft.saved;
  }
}

/** A draft at the bank as this phone goes on with it, at its first open question. */
export function resumed(a: Application, key: string): ApplyDraft {
  const answers = [a.subject.id, a.product, a.asked, a.term_months && a.purpose];
  const open = answers.findIndex((x) => !x);
  return {
    step: open < 0 ? answers.length : open,
    key,
    saved: a.id,
    ...(a.subject.id ? { subject: a.subject, label: a.subject_name } : {}),
    ...(a.product ? { product: a.product } : {}),
    ...(a.asked ? { yuan: String(a.asked / 100) } : {}),
    ...(a.term_months ? { term: a.term_months } : {}),
    ...(a.purpose ? { purpose: a.purpose } : {}),
  };
}
