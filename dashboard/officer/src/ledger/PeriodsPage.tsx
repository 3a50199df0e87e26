import type { LedgerPeriod } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from '../pieces/DataTable';
import { NoteDialog } from '../pieces/NoteDialog';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { usePeriodDeed, usePeriods } from './data';
import { LedgerSub } from './LedgerSub';
import { Who } from './Who';

/** Periods of the book: one person proposes to close up to a day, another agrees. */
export function PeriodsPage() {
  const { t } = useTranslation('ledger');
  const f = useFormats();
  const may = useMay();
  const periods = usePeriods();
  const closed = periods.data?.closed;
  return (
    <Page title={t('periods')} lead={t('periods_lead')}>
      <LedgerSub />
      {may ? <Propose /> : null}
      <Panel
        title={closed ? t('closed_to', { day: f.date(closed) }) : t('never_closed')}
        className="periods"
        flush
      >
        <Await query={periods} lines={3}>
          {(p) => <List rows={p.periods} />}
        </Await>
      </Panel>
    </Page>
  );
}

function Propose() {
  const { t } = useTranslation('ledger');
  const deed = usePeriodDeed();
  const [through, setThrough] = useState('');
  const [memo, setMemo] = useState('');
  const id = useId();
  const send = (event: FormEvent) => {
    event.preventDefault();
    deed.mutate(
      { deed: 'propose', through, memo: memo.trim() },
      {
        onSuccess: () => {
          setThrough('');
          setMemo('');
        },
      },
    );
  };
  return (
    <Panel title={t('propose_period')}>
      <form className="book-form" onSubmit={send}>
        <p>
          <label htmlFor={`${id}day`}>{t('through')}</label>
          <input
            id={`${id}day`}
            type="date"
            value={through}
            onChange={(e) => {
              deed.reset();
              setThrough(e.target.value);
            }}
          />
        </p>
        <p>
          <label htmlFor={`${id}memo`}>{t('memo')}</label>
          <input
            id={`${id}memo`}
            maxLength={500}
            value={memo}
            onChange={(e) => setMemo(e.target.value)}
          />
        </p>
        <Button htmlType="submit" type="primary" disabled={!through} loading={deed.isPending}>
          {t('propose_period')}
        </Button>
      </form>
      {deed.error ? <Problem error={deed.error} compact /> : null}
    </Panel>
  );
}

function List({ rows }: { rows: LedgerPeriod[] }) {
  const { t } = useTranslation('ledger');
  const f = useFormats();
  const may = useMay();
  const { user } = useSession();
  const deed = usePeriodDeed();
  const [refusing, setRefusing] = useState<LedgerPeriod>();
  const columns: Column<LedgerPeriod>[] = [
    {
      key: 'through',
      title: t('through'),
      cell: (p) => <span className="nowrap">{f.date(p.through)}</span>,
    },
    {
      key: 'state',
      title: t('state'),
      cell: (p) => (
        <>
          <Pill tone={p.state === 'closed' ? 'good' : p.state === 'refused' ? 'calm' : 'warn'}>
            {t(`period_state.${p.state}`)}
          </Pill>{' '}
          {p.memo} {p.note}
        </>
      ),
    },
    {
      key: 'asked',
      title: t('asked_by'),
      cell: (p) => <Who name={p.asked_name} at={p.asked_at} />,
    },
    {
      key: 'decided',
      title: t('decided_by'),
      cell: (p) => (p.decided_at ? <Who name={p.decided_name ?? ''} at={p.decided_at} /> : '—'),
    },
    {
      key: 'act',
      title: t('act_column'),
      cell: (p) =>
        p.state !== 'asked' || !may ? null : (
          <span className="fw-row">
            {p.asked_by === user.id ? (
              <span className="fw-muted">{t('own_period')}</span>
            ) : (
              <Button
                size="small"
                type="primary"
                loading={deed.isPending}
                onClick={() => deed.mutate({ deed: 'agree', id: p.id })}
              >
                {t('agree_period')}
              </Button>
            )}
            <Button size="small" onClick={() => setRefusing(p)}>
              {t('refuse_period')}
            </Button>
          </span>
        ),
    },
  ];
  return (
    <>
      {deed.error && !refusing ? <Problem error={deed.error} compact /> : null}
      <DataTable
        label={t('periods')}
        rows={rows}
        columns={columns}
        rowKey={(p) => p.id}
        empty={t('no_periods')}
      />
      {refusing ? (
        <NoteDialog
          title={t('refuse_period')}
          label={t('why')}
          ok={t('refuse_period')}
          danger
          pending={deed.isPending}
          error={deed.error}
          onOk={(note) =>
            deed.mutate(
              { deed: 'refuse', id: refusing.id, note },
              { onSuccess: () => setRefusing(undefined) },
            )
          }
          onCancel={() => setRefusing(undefined)}
        />
      ) : null}
    </>
  );
}
