import type { OfficerLoanProposal } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Empty } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { NoteDialog } from '../pieces/NoteDialog';
import { Pill, type Tone } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { EventLine } from './ActDialog';
import { useSecond } from './data';

const tones: Record<string, Tone> = { proposed: 'warn', approved: 'good', refused: 'bad' };

/** What colleagues propose, and the second person's answer. */
export function Proposals(props: { rows: OfficerLoanProposal[]; link?: boolean; empty: string }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const may = useMay();
  const { user } = useSession();
  const second = useSecond();
  const [asked, setAsked] = useState<{ id: string; act: 'approve' | 'refuse' }>();
  if (props.rows.length === 0) return <Empty text={props.empty} />;
  return (
    <>
      <ul className="proposals">
        {props.rows.map((p) => (
          <li key={p.id} data-proposal={p.id}>
            <p>
              <Pill tone={tones[p.state] ?? 'calm'}>{t(`proposal.${p.state}`)}</Pill>{' '}
              <EventLine event={p.event} />
              {props.link ? (
                <>
                  {' '}
                  <Link to={`/loans/${p.loan_id}`}>{t('to_loan')}</Link>
                </>
              ) : null}
            </p>
            <q>{p.reason}</q>
            <p className="fw-muted">
              {t('proposed_by', { name: p.by_name })} · <time dateTime={p.at}>{f.time(p.at)}</time>
              {p.decided_name
                ? ` · ${t('decided_by', { name: p.decided_name, time: f.time(p.decided_at) })}`
                : ''}
              {p.note ? ` · ${p.note}` : ''}
            </p>
            {may && p.state === 'proposed' ? (
              <div className="fw-row">
                <Button size="small" onClick={() => setAsked({ id: p.id, act: 'refuse' })}>
                  {t('refuse')}
                </Button>
                {p.by === user.id ? (
                  <span className="fw-muted">{t('own_proposal')}</span>
                ) : (
                  <Button
                    size="small"
                    type="primary"
                    onClick={() => setAsked({ id: p.id, act: 'approve' })}
                  >
                    {t('approve')}
                  </Button>
                )}
              </div>
            ) : null}
          </li>
        ))}
      </ul>
      {asked ? (
        <NoteDialog
          title={t(`${asked.act}_title`)}
          label={t('note')}
          ok={t(asked.act)}
          danger={asked.act === 'refuse'}
          pending={second.isPending}
          error={second.error}
          onOk={(note) =>
            second.mutate({ ...asked, note }, { onSuccess: () => setAsked(undefined) })
          }
          onCancel={() => {
            second.reset();
            setAsked(undefined);
          }}
        />
      ) : null}
    </>
  );
}
