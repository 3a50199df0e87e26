import type { Instalment } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from '../pieces/DataTable';
import { Pill, toneOf } from '../pieces/Pill';

/** What is due of a part, and below it what is paid. */
function Part(props: { due: number; paid: number }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  if (!props.due && !props.paid) return <span className="fw-muted">—</span>;
  return (
    <>
      {f.yuan(props.due)}
      {props.paid ? (
        <small className="sub">{t('paid_of', { amount: f.yuan(props.paid) })}</small>
      ) : null}
    </>
  );
}

/**
 * The schedule with what was paid of each part, and how much of it before or after its day.
 * `before` marks what another schedule has otherwise.
 */
export function Rows(props: { label: string; rows: Instalment[]; before?: Instalment[] }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const w = useWords();
  const old = new Map(props.before?.map((row) => [row.nr, row]));
  const changed = (row: Instalment) => {
    if (!props.before) return false;
    const was = old.get(row.nr);
    return !was || was.due_on !== row.due_on || was.due !== row.due || owed(was) !== owed(row);
  };
  const columns: Column<Instalment>[] = [
    { key: 'nr', title: t('nr'), number: true, cell: (i) => i.nr },
    {
      key: 'due_on',
      title: t('due_on'),
      cell: (i) => (
        <>
          <span className="nowrap">{f.date(i.due_on)}</span>
          {i.kind ? (
            <small className="sub">{t(`row.${i.kind}`, { defaultValue: i.kind })}</small>
          ) : null}
        </>
      ),
    },
    {
      key: 'principal',
      title: t('principal'),
      number: true,
      cell: (i) => <Part due={i.principal} paid={i.paid_principal} />,
    },
    {
      key: 'interest',
      title: t('interest'),
      number: true,
      cell: (i) => <Part due={i.interest} paid={i.paid_interest} />,
    },
    {
      key: 'fee',
      title: t('fee'),
      number: true,
      cell: (i) => <Part due={i.fee} paid={i.paid_fee} />,
    },
    {
      key: 'penalty',
      title: t('penalty'),
      number: true,
      cell: (i) => <Part due={i.penalty} paid={i.paid_penalty} />,
    },
    {
      key: 'when',
      title: t('when_paid'),
      number: true,
      cell: (i) => (
        <>
          {i.in_advance ? (
            <span className="sub">{t('in_advance', { amount: f.yuan(i.in_advance) })}</span>
          ) : null}
          {i.late ? <span className="sub bad">{t('late', { amount: f.yuan(i.late) })}</span> : null}
          {i.waived ? (
            <span className="sub">{t('waived', { amount: f.yuan(i.waived) })}</span>
          ) : null}
          {i.in_advance || i.late || i.waived ? null : <span className="fw-muted">—</span>}
        </>
      ),
    },
    { key: 'open', title: t('open'), number: true, cell: (i) => <b>{f.yuan(owed(i))}</b> },
    { key: 'balance', title: t('balance'), number: true, cell: (i) => f.yuan(i.balance) },
    {
      key: 'status',
      title: t('state'),
      cell: (i) => (
        <>
          <Pill tone={toneOf(i.status)}>{w.word('instalment', i.status)}</Pill>
          {changed(i) ? <small className="sub bad">{t('changes')}</small> : null}
        </>
      ),
    },
  ];
  return (
    <DataTable
      label={props.label}
      rows={props.rows}
      columns={columns}
      rowKey={(i) => String(i.nr)}
    />
  );
}

/** What is left to pay of a row. */
export const owed = (i: Instalment) =>
  Math.max(
    0,
    i.due + i.penalty - i.paid_principal - i.paid_interest - i.paid_fee - i.paid_penalty - i.waived,
  );
