import type { Loan, ViewTranche } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { NoteDialog } from '../pieces/NoteDialog';
import { Panel } from '../pieces/Page';
import { Pill, type Tone } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useConfirm, useInspect, useTranches } from './data';

const tones: Record<string, Tone> = { ready: 'good', paying: 'warn', lapsed: 'bad' };

/** The parts in which a loan goes out: how far each is, why one waits, and what was inspected. */
export function TranchesPanel({ loan }: { loan: Loan }) {
  const { t } = useTranslation('servicing');
  const plan = useTranches(loan.id);
  return (
    <Panel title={t('tranche.title')} className="tranches">
      <Await query={plan} lines={4}>
        {(parts) => (
          <ol className="proposals">
            {parts.map((x) => (
              <Part key={x.nr} loan={loan.id} part={x} />
            ))}
          </ol>
        )}
      </Await>
    </Panel>
  );
}

function Part({ loan, part: x }: { loan: string; part: ViewTranche }) {
  const { t, i18n } = useTranslation('servicing');
  const f = useFormats();
  const state = x.ready ? 'ready' : x.state;
  const inspected = x.condition && (x.state === 'planned' || x.inspections?.length);
  return (
    <li data-tranche={x.nr}>
      <p>
        <b>
          {t('tranche.nr', { nr: x.nr, name: x.name?.[i18n.language] ?? x.name?.['zh-CN'] ?? '' })}
        </b>{' '}
        <Pill tone={tones[state] ?? 'calm'}>{t(`tranche.state.${state}`)}</Pill>{' '}
        {f.yuan(x.drawn || x.amount)}
      </p>
      <p className="fw-muted">
        {x.drawn_on
          ? f.date(x.drawn_on)
          : t('tranche.days', { from: f.date(x.on), until: f.date(x.until) })}
      </p>
      {x.why.map((w) => (
        <p key={w.code}>{w.message}</p>
      ))}
      {inspected ? <Inspections loan={loan} part={x} /> : null}
    </li>
  );
}

/** What colleagues saw on the ground; it counts when a second person stands for it. */
function Inspections({ loan, part: x }: { loan: string; part: ViewTranche }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const may = useMay() && x.state === 'planned';
  const { user } = useSession();
  const inspect = useInspect(loan, x.nr);
  const confirm = useConfirm(loan, x.nr);
  const [found, setFound] = useState<boolean>();
  const seen = x.inspections ?? [];
  const last = seen.at(-1);
  return (
    <>
      {seen.map((s) => (
        <p key={s.at}>
          <Pill tone={s.found ? 'good' : 'bad'}>
            {t(s.found ? 'tranche.found' : 'tranche.not_found')}
          </Pill>{' '}
          <q>{s.note}</q>{' '}
          <span className="fw-muted">
            {s.by_name} · <time dateTime={s.at}>{f.time(s.at)}</time> ·{' '}
            {s.second_name ? t('second', { name: s.second_name }) : t('tranche.unconfirmed')}
          </span>
        </p>
      ))}
      {may ? (
        <div className="fw-row">
          {last && !last.second ? (
            last.by === user.id ? (
              <span className="fw-muted">{t('own_proposal')}</span>
            ) : (
              <Button
                size="small"
                type="primary"
                loading={confirm.isPending}
                onClick={() => confirm.mutate()}
              >
                {t('tranche.confirm')}
              </Button>
            )
          ) : null}
          <Button size="small" onClick={() => setFound(true)}>
            {t('tranche.inspect_found')}
          </Button>
          <Button size="small" onClick={() => setFound(false)}>
            {t('tranche.inspect_not')}
          </Button>
        </div>
      ) : null}
      {confirm.error ? <Problem error={confirm.error} compact /> : null}
      {found !== undefined ? (
        <NoteDialog
          title={t(found ? 'tranche.inspect_found' : 'tranche.inspect_not')}
          label={t('tranche.note')}
          ok={t('tranche.keep')}
          pending={inspect.isPending}
          error={inspect.error}
          onOk={(note) => inspect.mutate({ found, note }, { onSuccess: () => setFound(undefined) })}
          onCancel={() => {
            inspect.reset();
            setFound(undefined);
          }}
        />
      ) : null}
    </>
  );
}
