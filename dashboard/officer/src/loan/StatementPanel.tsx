import type { Loan, LoanStatement } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from '../pieces/DataTable';
import { Panel } from '../pieces/Page';
import { useKind } from './Books';
import { statementsCSV, useStatement } from './data';

const PARTS = ['principal', 'interest', 'fee', 'penalty', 'credit'] as const;

interface Line {
  key: string;
  date: string;
  text: string;
  amount: number | undefined;
  parts: Partial<Record<(typeof PARTS)[number], number>>;
  strong?: boolean;
}

/** A loan in one month: what was owed at first, what happened, what is owed at the end. */
export function StatementPanel(props: { loan: Loan }) {
  const { t } = useTranslation('servicing');
  const id = useId();
  const { loan } = props;
  const [month, setMonth] = useState(loan.day_end.slice(0, 7));
  const statement = useStatement(loan.id, month);
  return (
    <Panel
      title={t('statement')}
      flush
      extra={
        <span className="panel-field">
          <label htmlFor={id}>{t('month')}</label>
          <input
            id={id}
            type="month"
            value={month}
            min={loan.drawn_on.slice(0, 7)}
            max={loan.day_end.slice(0, 7)}
            onChange={(e) => e.target.value && setMonth(e.target.value)}
          />
          <a href={statementsCSV(loan.user_id, month)} download>
            {t('csv')}
          </a>
        </span>
      }
    >
      <Await query={statement} lines={4}>
        {(s) => <Lines of={s} />}
      </Await>
    </Panel>
  );
}

function Lines({ of: s }: { of: LoanStatement }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const kind = useKind();
  const lines: Line[] = [
    {
      key: 'open',
      date: s.from,
      text: t('opening'),
      amount: undefined,
      parts: s.opening,
      strong: true,
    },
    ...(s.lines ?? [])
      .filter((x) => x.kind !== 'accrue')
      .map((x, i) => ({
        key: `${i}`,
        date: x.date,
        text: kind(x.kind),
        amount: x.amount,
        parts: {
          principal: x.principal,
          interest: x.interest,
          fee: x.fee,
          penalty: x.penalty,
          credit: x.excess,
        },
      })),
    {
      key: 'accrued',
      date: s.to,
      text: t('accrued_in_month'),
      amount: undefined,
      parts: { interest: s.interest, fee: s.fee, penalty: s.penalty },
    },
    {
      key: 'close',
      date: s.to,
      text: t('closing'),
      amount: undefined,
      parts: s.closing,
      strong: true,
    },
  ];
  const columns: Column<Line>[] = [
    {
      key: 'date',
      title: t('date'),
      cell: (l) => <span className="nowrap">{f.date(l.date)}</span>,
    },
    { key: 'text', title: t('what'), cell: (l) => (l.strong ? <b>{l.text}</b> : l.text) },
    {
      key: 'amount',
      title: t('amount'),
      number: true,
      cell: (l) => (l.amount === undefined ? '' : f.yuan(l.amount)),
    },
    ...PARTS.map((name) => ({
      key: name,
      title: t(name === 'credit' ? 'credit_held' : name),
      number: true,
      cell: (l: Line) =>
        l.parts[name] ? f.yuan(l.parts[name]) : <span className="fw-muted">—</span>,
    })),
  ];
  return <DataTable label={t('statement')} rows={lines} columns={columns} rowKey={(l) => l.key} />;
}
