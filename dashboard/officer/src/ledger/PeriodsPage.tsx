import type { LedgerPeriod } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Column } from '../pieces/DataTable';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { ByTwo } from './ByTwo';
import { usePeriodDeed, usePeriods } from './data';
import { LedgerSub } from './LedgerSub';

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
  const deed = usePeriodDeed();
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
  ];
  return (
    <ByTwo
      label={t('periods')}
      empty={t('no_periods')}
      rows={rows}
      columns={columns}
      deed={deed}
      agree={t('agree_period')}
      refuse={t('refuse')}
    />
  );
}
