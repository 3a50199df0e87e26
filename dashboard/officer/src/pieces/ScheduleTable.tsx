import type { Instalment } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from './DataTable';
import { Pill, toneOf } from './Pill';

/** The instalments of a loan. */
export function ScheduleTable(props: { rows: Instalment[] }) {
  const { t } = useTranslation('loans');
  const f = useFormats();
  const w = useWords();
  const columns: Column<Instalment>[] = [
    { key: 'nr', title: t('nr'), number: true, cell: (i) => i.nr },
    { key: 'due_on', title: t('due_on'), cell: (i) => f.date(i.due_on) },
    { key: 'days', title: t('days'), number: true, cell: (i) => i.days },
    { key: 'principal', title: t('principal'), number: true, cell: (i) => f.yuan(i.principal) },
    { key: 'interest', title: t('interest'), number: true, cell: (i) => f.yuan(i.interest) },
    { key: 'due', title: t('due'), number: true, cell: (i) => <b>{f.yuan(i.due)}</b> },
    {
      key: 'paid',
      title: t('paid'),
      number: true,
      cell: (i) => f.yuan(i.paid_principal + i.paid_interest + i.paid_penalty),
    },
    { key: 'balance', title: t('balance'), number: true, cell: (i) => f.yuan(i.balance) },
    {
      key: 'status',
      title: t('state'),
      cell: (i) => <Pill tone={toneOf(i.status)}>{w.word('instalment', i.status)}</Pill>,
    },
  ];
  return (
    <DataTable
      label={t('schedule')}
      rows={props.rows}
      columns={columns}
      rowKey={(i) => String(i.nr)}
    />
  );
}
