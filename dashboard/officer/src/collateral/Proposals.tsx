import type { Proposal } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { NoteDialog } from '../pieces/NoteDialog';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useDecide } from './data';

/** Acts that a second person decides; who asked cannot. */
export function Proposals({ rows, link }: { rows: Proposal[]; link?: boolean }) {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const may = useMay();
  const { user } = useSession();
  const decide = useDecide();
  const [declining, setDeclining] = useState<Proposal>();
  if (!rows.length) return <p className="fw-muted">{t('no_proposals')}</p>;
  return (
    <>
      <ul className="bounds">
        {rows.map((p) => (
          <li key={p.id}>
            <p>
              <span>
                <b>{t(`event.${p.act.kind}`, { defaultValue: p.act.kind })}</b>{' '}
                {t('things', { count: (p.act.assets ?? p.act.take ?? p.act.values ?? []).length })}{' '}
                · {p.act.note}{' '}
                {link ? (
                  <Link to={`/collateral/${encodeURIComponent(p.application_id)}`}>
                    {t('look')}
                  </Link>
                ) : null}
                <br />
                <small className="fw-muted">
                  {t(p.by_borrower ? 'asked_borrower' : 'asked', {
                    name: p.asked_name,
                    time: f.time(p.asked_at),
                  })}
                  {p.decided_name ? ` · ${p.decided_name} ${p.note ?? ''}` : ''}
                </small>
              </span>
              <span className="fw-row">
                {p.state !== 'open' ? (
                  <Pill tone={p.state === 'agreed' ? 'good' : 'calm'}>
                    {t(`decided.${p.state}`)}
                  </Pill>
                ) : p.asked_by === user.id ? (
                  <Pill tone="info">{t('waits')}</Pill>
                ) : may ? (
                  <>
                    <Button
                      size="small"
                      type="primary"
                      loading={decide.isPending}
                      onClick={() => decide.mutate({ id: p.id })}
                    >
                      {t('agree')}
                    </Button>
                    <Button size="small" onClick={() => setDeclining(p)}>
                      {t('decline')}
                    </Button>
                  </>
                ) : null}
              </span>
            </p>
          </li>
        ))}
      </ul>
      {decide.error && !declining ? <Problem error={decide.error} compact /> : null}
      {declining ? (
        <NoteDialog
          title={t('decline')}
          label={t('why')}
          ok={t('decline')}
          danger
          pending={decide.isPending}
          error={decide.error}
          onOk={(note) =>
            decide.mutate({ id: declining.id, note }, { onSuccess: () => setDeclining(undefined) })
          }
          onCancel={() => setDeclining(undefined)}
        />
      ) : null}
    </>
  );
}
