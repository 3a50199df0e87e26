import type { LedgerEntry, LoanPayment, OfficerLoanPage } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useLoan } from '../data';
import { ActPanel } from '../loan/ActPanel';
import { BalanceChart } from '../loan/BalanceChart';
import { Events, Transactions } from '../loan/Books';
import { Fees } from '../loan/Fees';
import { PayoffPanel } from '../loan/PayoffPanel';
import { Proposals } from '../loan/Proposals';
import { Rows } from '../loan/Rows';
import { StatementPanel } from '../loan/StatementPanel';
import { StepBackPanel } from '../loan/StepBackPanel';
import { MovesPanel } from '../loan/Tiers';
import { TranchesPanel } from '../loan/TranchesPanel';
import { DocumentsPanel } from '../paper/DocumentsPanel';
import { type Column, DataTable } from '../pieces/DataTable';
import { Facts, Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { subjectPath } from '../pieces/subject';

/** A loan: where it stands, its schedule, what happened to it, and what may be done. */
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
            <Pill tone={toneOf(l.class)}>{t('tier', { tier: w.word('loan_class', l.class) })}</Pill>
            <span>{w.product(l.product)}</span>
            <span>
              {w.word('subject', l.subject.kind)}{' '}
              <Link to={subjectPath(l.subject.kind, l.subject.id)}>{l.subject_name}</Link>
            </span>
            <Link to={`/applications/${l.application_id}`}>{t('application')}</Link>
            <Link to={`/collateral/${l.application_id}`}>{t('to_collateral')}</Link>
            <Link to={`/loans/${l.id}/trace`}>{t('to_trace')}</Link>
            <Link to={`/ledger/journal?item=${l.id}`}>{t('to_journal')}</Link>
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
            <Body page={d} />
          </>
        )}
      </Await>
    </Page>
  );
}

function Body({ page: d }: { page: OfficerLoanPage }) {
  const { t } = useTranslation('servicing');
  const schedule = d.schedule ?? [];
  const transactions = d.transactions ?? [];
  const events = d.events ?? [];
  const running = ['active', 'overdue'].includes(d.loan.state);
  const waiting = (d.proposals ?? []).filter((p) => p.state === 'proposed');
  const decided = (d.proposals ?? []).filter((p) => p.state !== 'proposed');
  return (
    <>
      {waiting.length ? (
        <Panel title={t('waiting')}>
          <Proposals rows={waiting} empty={t('no_proposals')} />
        </Panel>
      ) : null}
      <ActPanel page={d} />
      {d.loan.drawn_on ? (
        <Panel title={t('balance_time')}>
          <BalanceChart loan={d.loan} schedule={schedule} transactions={transactions} />
        </Panel>
      ) : null}
      <Panel title={t('schedule')} className="loan-rows" flush>
        <Rows label={t('schedule')} rows={schedule} />
      </Panel>
      <Panel title={t('transactions')} className="loan-transactions" flush>
        <Transactions rows={transactions} events={events} />
      </Panel>
      <div className="split">
        <div>
          {d.loan.drawn_on ? <StatementPanel loan={d.loan} /> : null}
          <Ledger rows={d.entries ?? []} />
        </div>
        <div>
          {d.loan.tranches?.length ? <TranchesPanel loan={d.loan} /> : null}
          {running ? <StepBackPanel loan={d.loan} /> : null}
          {running ? <PayoffPanel loan={d.loan} /> : null}
          <Terms page={d} />
          <MovesPanel loan={d.loan.id} />
          <Panel title={t('events')}>
            <Events rows={events} />
          </Panel>
          {decided.length ? (
            <Panel title={t('proposals')}>
              <Proposals rows={decided} empty={t('no_proposals')} />
            </Panel>
          ) : null}
          <DocumentsPanel applicationId={d.loan.application_id} />
          <Paid rows={d.payments ?? []} />
        </div>
      </div>
    </>
  );
}

function Terms({ page: { loan } }: { page: OfficerLoanPage }) {
  const { t } = useTranslation('loans');
  const s = useTranslation('servicing').t;
  const f = useFormats();
  const w = useWords();
  return (
    <Panel title={t('terms')}>
      <Facts
        rows={[
          [t('method'), w.word('method', loan.method)],
          [t('day_count'), loan.day_count],
          [t('term'), t('months', { count: loan.term_months })],
          [t('drawn_on'), f.date(loan.drawn_on)],
          [t('due_on'), f.date(loan.due_on)],
          [t('accrued'), f.yuan(loan.accrued)],
          [t('penalty'), f.yuan(loan.penalty)],
          [s('fee'), f.yuan(loan.fee)],
          [s('credit_held'), f.yuan(loan.credit)],
          [t('worst'), t('overdue_days', { count: loan.worst_overdue_days })],
          [s('stage'), loan.stage ? s('stage_nr', { nr: loan.stage }) : '—'],
          [s('expected_loss'), f.yuan(loan.expected_loss)],
          ...(loan.restructured
            ? [[s('restructured'), f.date(loan.restructured)] as [string, string]]
            : []),
          ...(loan.charged_off
            ? [[s('charged_off'), f.date(loan.charged_off)] as [string, string]]
            : []),
          [t('day_end'), f.date(loan.day_end)],
          ...(loan.fees?.length
            ? [[s('fee_of.title'), <Fees key="fees" rows={loan.fees} />] as [string, ReactNode]]
            : []),
        ]}
      />
    </Panel>
  );
}

function Ledger(props: { rows: LedgerEntry[] }) {
  const { t } = useTranslation('loans');
  return (
    <Panel title={t('entries')} flush>
      <Entries rows={props.rows} />
    </Panel>
  );
}

function Paid(props: { rows: LoanPayment[] }) {
  const { t } = useTranslation('loans');
  return (
    <Panel title={t('payments')} flush>
      <Payments rows={props.rows} />
    </Panel>
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
      cell: (p) => (
        <>
          <Pill tone={toneOf(p.outcome)}>{w.word('payment', p.outcome)}</Pill>{' '}
          {p.reason ? w.refusal(p.reason) : null}
        </>
      ),
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
  const { t: event } = useTranslation('servicing');
  // Entries are named by the event that they book; older ones by their own kind.
  const said = (kind: string) => event(`kind.${kind}`, { defaultValue: w.word('entry', kind) });
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
    { key: 'kind', title: t('entry'), cell: (l) => (l.first ? said(l.entry.kind) : '') },
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
      page={40}
      empty={t('no_entries')}
    />
  );
}
