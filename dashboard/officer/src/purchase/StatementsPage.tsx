import type { PayReport } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { dayOf } from '../fund/period';
import { type Column, DataTable } from '../pieces/DataTable';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useCompare, useStatements } from './data';
import { PaymentSub } from './Subs';

/** Days that were compared with the bank's statement, and a form for another one. */
export function StatementsPage() {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const may = useMay();
  const list = useStatements();
  const waiting = (r: PayReport) => r.differences.filter((d) => d.state !== 'resolved').length;
  const columns: Column<PayReport>[] = [
    {
      key: 'day',
      title: t('day'),
      cell: (r) => <Link to={`/statements/${r.day}`}>{f.date(r.day)}</Link>,
    },
    { key: 'lines', title: t('bank_lines'), number: true, cell: (r) => f.integer(r.lines) },
    { key: 'orders', title: t('our_orders'), number: true, cell: (r) => f.integer(r.orders) },
    { key: 'matched', title: t('matched'), number: true, cell: (r) => f.integer(r.matched) },
    {
      key: 'open',
      title: t('differences'),
      cell: (r) =>
        waiting(r) ? (
          <Pill tone="bad">{t('waiting', { count: waiting(r) })}</Pill>
        ) : (
          <Pill tone="good">{t('agrees')}</Pill>
        ),
    },
    { key: 'file', title: t('file'), cell: (r) => r.file },
  ];
  return (
    <Page title={t('statements')} lead={t('statements_lead')}>
      <PaymentSub />
      {may ? <CompareForm /> : null}
      <Panel title={t('compared')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('compared')}
              rows={rows}
              columns={columns}
              rowKey={(r) => r.day}
              empty={t('no_statements')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}

function CompareForm() {
  const { t } = useTranslation('purchase');
  const id = useId();
  const navigate = useNavigate();
  const compare = useCompare();
  const [day, setDay] = useState(() => dayOf(new Date(Date.now() - 86_400_000)));
  const [file, setFile] = useState<File>();
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (file && day)
      compare.mutate({ day, file }, { onSuccess: () => navigate(`/statements/${day}`) });
  };
  return (
    <Panel title={t('upload')}>
      <form className="filters" onSubmit={send}>
        <label htmlFor={`${id}d`} className="book-field">
          {t('day')}
          <input id={`${id}d`} type="date" value={day} onChange={(e) => setDay(e.target.value)} />
        </label>
        <label htmlFor={`${id}f`} className="book-field">
          {t('file')}
          <input
            id={`${id}f`}
            type="file"
            accept=".csv,.xlsx"
            onChange={(e) => setFile(e.target.files?.[0])}
          />
        </label>
        <Button
          type="primary"
          htmlType="submit"
          loading={compare.isPending}
          disabled={!file || !day}
        >
          {t('compare')}
        </Button>
      </form>
      {compare.error ? <Problem error={compare.error} compact /> : null}
    </Panel>
  );
}
