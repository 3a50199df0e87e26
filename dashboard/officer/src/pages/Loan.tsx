import type { LedgerEntry, LoanPayment } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useLoan } from '../data';
import { type Column, DataTable } from '../pieces/DataTable';
import { Facts, Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { ScheduleTable } from '../pieces/ScheduleTable';
import { subjectPath } from '../pieces/subject';

/** A loan: where it stands, its schedule, its payments and every posting. */
export function LoanPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('loans');
  const f = useFormats();
  const w = useWords();
  const query = useLoan(id);
  const l = query.data?.loan;
  return (
    <Page
      title={l ? t('of', { name: l.user_name }) : t('one')}
      crumbs={[{ to: '/loans', text: t('title') }]}
      lead={
        l ? (
          <>
            <Pill tone={toneOf(l.state)}>{w.word('loan_state', l.state)}</Pill>
            <span>{w.product(l.product)}</span>
            <span>
              {w.word('subject', l.subject.kind)}{' '}
              <Link to={subjectPath(l.subject.kind, l.subject.id)}>{l.subject_name}</Link>
            </span>
            <Link to={`/applications/${l.application_id}`}>{t('application')}</Link>
          </>
        ) : null
      }
    >
      <Await query={query} lines={10}>
        {(d) => (
          <>
            <Figures
              items={[
                {
                  name: t('outstanding'),
                  value: f.yuan(d.loan.outstanding),
                  note: t('of_drawn', { amount: f.yuan0(d.loan.principal) }),
                },
                {
                  name: t('overdue'),
                  value: (
                    <span className={d.loan.overdue_amount ? 'bad' : undefined}>
                      {f.yuan(d.loan.overdue_amount)}
                    </span>
                  ),
                  note: t('overdue_days', { count: d.loan.overdue_days }),
                },
                {
                  name: t('next_due'),
                  value: f.yuan(d.loan.next_due ? d.loan.next_amount : undefined),
                  note: f.date(d.loan.next_due),
                },
                {
                  name: t('rate'),
                  value: f.rate(d.loan.rate),
                  note: t('penalty_rate', { rate: f.rate(d.loan.penalty_rate) }),
                },
              ]}
            />
            <div className="split">
              <div>
                <Panel title={t('schedule')} flush>
                  <ScheduleTable rows={d.schedule ?? []} />
                </Panel>
                <Panel title={t('entries')} flush>
                  <Entries rows={d.entries ?? []} />
                </Panel>
              </div>
              <div>
                <Panel title={t('terms')}>
                  <Facts
                    rows={[
                      [t('method'), w.word('method', d.loan.method)],
                      [t('day_count'), d.loan.day_count],
                      [t('term'), t('months', { count: d.loan.term_months })],
                      [t('drawn_on'), f.date(d.loan.drawn_on)],
                      [t('due_on'), f.date(d.loan.due_on)],
                      [
                        t('class'),
                        <Pill key="c" tone={toneOf(d.loan.class)}>
                          {w.word('loan_class', d.loan.class)}
                        </Pill>,
                      ],
                      [t('accrued'), f.yuan(d.loan.accrued)],
                      [t('penalty'), f.yuan(d.loan.penalty)],
                      [t('worst'), t('overdue_days', { count: d.loan.worst_overdue_days })],
                      [t('day_end'), f.date(d.loan.day_end)],
                    ]}
                  />
                </Panel>
                <Panel title={t('payments')} flush>
                  <Payments rows={d.payments ?? []} />
                </Panel>
              </div>
            </div>
          </>
        )}
      </Await>
    </Page>
  );
}

function Payments(props: { rows: LoanPayment[] }) {
  const { t } = useTranslation('loans');
  const f = useFormats();
  const w = useWords();
  const columns: Column<LoanPayment>[] = [
    { key: 'date', title: t('date'), cell: (p) => f.date(p.date) },
    { key: 'direction', title: t('direction'), cell: (p) => w.word('payment', p.direction) },
    { key: 'amount', title: t('amount'), number: true, cell: (p) => f.yuan(p.amount) },
    {
      key: 'outcome',
      title: t('state'),
      cell: (p) => <Pill tone={toneOf(p.outcome)}>{w.word('payment', p.outcome)}</Pill>,
    },
  ];
  return (
    <DataTable
      label={t('payments')}
      rows={props.rows}
      columns={columns}
      rowKey={(p) => p.id}
      empty={t('no_payments')}
    />
  );
}

interface Line {
  entry: LedgerEntry;
  first: boolean;
  account: string;
  amount: number;
  nr: number;
}

/** Double entry: a debit and a credit side, a line a posting. */
function Entries(props: { rows: LedgerEntry[] }) {
  const { t } = useTranslation('loans');
  const f = useFormats();
  const w = useWords();
  const lines: Line[] = props.rows.flatMap((entry) =>
    (entry.postings ?? []).map((p, nr) => ({
      entry,
      first: nr === 0,
      account: p.account,
      amount: p.amount,
      nr,
    })),
  );
  const columns: Column<Line>[] = [
    { key: 'seq', title: t('seq'), number: true, cell: (l) => (l.first ? l.entry.seq : '') },
    { key: 'date', title: t('date'), cell: (l) => (l.first ? f.date(l.entry.date) : '') },
    { key: 'kind', title: t('entry'), cell: (l) => (l.first ? w.word('entry', l.entry.kind) : '') },
    { key: 'account', title: t('account'), cell: (l) => w.word('account', l.account) },
    {
      key: 'debit',
      title: t('debit'),
      number: true,
      cell: (l) => (l.amount > 0 ? f.yuan(l.amount) : ''),
    },
    {
      key: 'credit',
      title: t('credit'),
      number: true,
      cell: (l) => (l.amount < 0 ? f.yuan(-l.amount) : ''),
    },
  ];
  return (
    <DataTable
      label={t('entries')}
      rows={lines}
      columns={columns}
      rowKey={(l) => `${l.entry.seq}.${l.nr}`}
      empty={t('no_entries')}
    />
  );
}
