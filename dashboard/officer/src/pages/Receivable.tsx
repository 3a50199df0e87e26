import type { ReceivableEvent, ReceivableLine, ReceivablePart } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { Figures, Page, Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { ActDialog } from '../receivable/ActDialog';
import { useBase, useHistory, useReceivable } from '../receivable/data';
import { type ActKind, Owners } from '../receivable/Owners';
import { StatePills } from '../receivable/StatePills';

/** A receivable: who holds how much of it, what the bank may do, and all that happened. */
export function ReceivablePage() {
  const { id = '' } = useParams();
  const query = useReceivable(id);
  return <Await query={query}>{(line) => <One line={line} />}</Await>;
}

function One({ line }: { line: ReceivableLine }) {
  const { t } = useTranslation('receivables');
  const f = useFormats();
  const may = useMay();
  const [asked, setAsked] = useState<{ kind: ActKind; part: ReceivablePart }>();
  const r = line.receivable;
  return (
    <Page
      title={r.number}
      crumbs={[{ to: '/receivables', text: t('title') }]}
      lead={
        <>
          {line.names[r.obligor_id]} → {line.names[r.creditor_id]} <StatePills line={line} />
        </>
      }
    >
      <Figures
        items={[
          { name: t('amount'), value: f.yuan(r.amount) },
          { name: t('outstanding'), value: f.yuan(line.outstanding) },
          { name: t('due'), value: f.date(r.due) },
          { name: t('issued'), value: f.date(r.issued) },
        ]}
      />
      <Panel title={t('owners')}>
        <Owners line={line} may={may} want={(kind, part) => setAsked({ kind, part })} />
      </Panel>
      <Base firm={r.creditor_id} name={line.names[r.creditor_id] ?? ''} />
      <History line={line} />
      {asked ? (
        <ActDialog
          key={asked.kind + asked.part.id}
          id={r.id}
          kind={asked.kind}
          part={asked.part}
          onClose={() => setAsked(undefined)}
        />
      ) : null}
    </Page>
  );
}

/** What may be lent on all that the supplier holds, when somebody asks. */
function Base(props: { firm: string; name: string }) {
  const { t } = useTranslation('receivables');
  const f = useFormats();
  const [open, setOpen] = useState(false);
  const base = useBase(open ? props.firm : '');
  return (
    <Panel title={`${t('base')} · ${props.name}`}>
      {open ? (
        <Await query={base} lines={2}>
          {(b) => (
            <Figures
              items={[
                { name: t('open'), value: f.yuan(b.open) },
                { name: t('eligible'), value: f.yuan(b.eligible) },
                { name: t('reserve'), value: f.yuan(b.reserve) },
                { name: t('available'), value: f.yuan(b.available) },
              ]}
            />
          )}
        </Await>
      ) : (
        <Button onClick={() => setOpen(true)}>{t('base_show')}</Button>
      )}
    </Panel>
  );
}

function History({ line }: { line: ReceivableLine }) {
  const { t } = useTranslation('receivables');
  const f = useFormats();
  const events = useHistory(line.receivable.id);
  const what = (e: ReceivableEvent) =>
    [
      e.terms ? f.yuan(e.terms.amount) : '',
      ...(e.parts ?? []).map((p) =>
        e.kind === 'transfer'
          ? t('to_firm', {
              amount: f.yuan(p.amount),
              name: line.names[p.holder_id] || t('unnamed'),
            })
          : f.yuan(p.amount),
      ),
      e.payment ? `${f.yuan(e.payment.amount)} ${e.payment.ref}` : '',
      e.hold?.funder,
      e.hold?.registration ? t('registration', { number: e.hold.registration }) : '',
      e.note,
    ]
      .filter(Boolean)
      .join(' · ');
  return (
    <Panel title={t('history')}>
      <Await query={events} lines={3}>
        {(list) => (
          <ol className="receivable-past">
            {list.map((e) => (
              <li key={e.seq}>
                <span className="fw-muted fw-num">{f.time(e.at)}</span>
                <span>
                  <b>{t(`event.${e.kind === 'cancel' && !e.final ? 'cancel_ask' : e.kind}`)}</b>{' '}
                  {what(e)}
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
    </Panel>
  );
}
