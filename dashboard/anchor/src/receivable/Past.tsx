import type { ReceivableEvent, ReceivableLine } from '@furrow/shared/api/types';
import { type Formats, useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { type Side, useEvents } from './data';

/** Everything that happened to a receivable, the first first, each sealed by its hash. */
export function Past({ line, side }: { line: ReceivableLine; side: Side }) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const events = useEvents(side, line.receivable.id);
  return (
    <section>
      <h2>{t(`${side}.past`)}</h2>
      <Await query={events} lines={3}>
        {(page) => (
          <ol className="r-past">
            {(page.items ?? []).map((e) => (
              <li key={e.seq}>
                <span className="fw-muted fw-num">{f.time(e.at)}</span>
                <span>
                  <b>{t(`event.${e.kind === 'cancel' && !e.final ? 'cancel_ask' : e.kind}`)}</b>{' '}
                  {said(e, line.names, t, f)}
                  <br />
                  <small className="fw-muted">
                    {e.firm_id ? line.names[e.firm_id] : t('bank')} · {e.user_name} ·{' '}
                    <code title={e.hash}>{e.hash.slice(0, 12)}</code>
                  </small>
                </span>
              </li>
            ))}
          </ol>
        )}
      </Await>
    </section>
  );
}

/** What an event moved, in figures and names. */
function said(
  e: ReceivableEvent,
  names: Record<string, string>,
  t: TFunction<'receivable'>,
  f: Formats,
): string {
  const parts = (e.parts ?? []).map((p) =>
    e.kind === 'transfer'
      ? t('to_firm', { amount: f.yuan(p.amount), name: names[p.holder_id] || t('unnamed') })
      : f.yuan(p.amount),
  );
  return [
    e.terms ? f.yuan(e.terms.amount) : '',
    ...parts,
    e.payment ? `${f.yuan(e.payment.amount)} · ${f.date(e.payment.date)} · ${e.payment.ref}` : '',
    e.hold?.funder,
    e.hold?.registration ? t('registration', { number: e.hold.registration }) : '',
    e.note,
  ]
    .filter(Boolean)
    .join(' · ');
}
