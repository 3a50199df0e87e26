import type { FeePayee, PayeeLoan, PayeeStatement, Remittance } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { ByTwo } from './ByTwo';
import {
  newKey,
  payeeFile,
  usePayeeStatement,
  usePayees,
  useRemittanceDeed,
  useRemittances,
} from './data';
import { LedgerSub } from './LedgerSub';
import { Day } from './Span';

const TONES = {
  asked: 'warn',
  sending: 'warn',
  paid: 'good',
  failed: 'bad',
  refused: 'calm',
} as const;

/** Fees that are collected with loans for others: what is owed to each, and payouts by two. */
export function FeesPage() {
  const { t, i18n } = useTranslation('ledger');
  const payees = usePayees();
  const [chosen, choose] = useParam('payee');
  return (
    <Page title={t('fees.title')} lead={t('fees.lead')}>
      <LedgerSub />
      <Await query={payees} lines={8}>
        {(list) => {
          const payee = list.find((p) => p.code === chosen) ?? list[0];
          if (!payee) return <p>{t('fees.nobody')}</p>;
          return (
            <>
              <div className="filters">
                <Choice
                  label={t('fees.payee')}
                  value={payee.code}
                  options={list.map((p) => ({
                    value: p.code,
                    text: p.name[i18n.language] ?? p.code,
                  }))}
                  onChange={choose}
                />
              </div>
              <One key={payee.code} payee={payee} />
            </>
          );
        }}
      </Await>
    </Page>
  );
}

function One({ payee }: { payee: FeePayee }) {
  const { t } = useTranslation('ledger');
  const f = useFormats();
  const w = useWords();
  const [through, setThrough] = useParam('through');
  const statement = usePayeeStatement(payee.code, through);
  const columns: Column<PayeeLoan>[] = [
    {
      key: 'loan',
      title: t('fees.borrower'),
      cell: (l) => <Link to={`/loans/${encodeURIComponent(l.loan_id)}`}>{l.borrower}</Link>,
    },
    { key: 'product', title: t('fees.product'), cell: (l) => w.product(l.product) },
    ...(['charged', 'collected', 'remitted', 'open'] as const).map((name) => ({
      key: name,
      title: t(`fees.${name}`),
      number: true,
      sort: (l: PayeeLoan) => l[name],
      cell: (l: PayeeLoan) => (
        <>
          {f.yuan(l[name])}
          {name === 'open' && l.open < 0 ? (
            <small className="under">{t('fees.claim')}</small>
          ) : null}
        </>
      ),
    })),
  ];
  return (
    <>
      <Await query={statement} lines={6}>
        {(s) => (
          <>
            <Figures
              items={[
                { name: t('fees.due'), value: f.yuan(s.due), note: f.date(s.through) },
                { name: t('fees.open_all'), value: f.yuan(s.open) },
                { name: t('fees.claim_all'), value: f.yuan(s.claim) },
                ...(s.pending ? [{ name: t('fees.pending'), value: f.yuan(s.pending) }] : []),
              ]}
            />
            <Panel
              title={t('fees.by_loan')}
              className="payee-loans"
              extra={
                <span className="fw-row">
                  <Day label={t('fees.through')} value={s.through} onChange={setThrough} />
                  <a className="fw-button" href={payeeFile(payee.code, through)} download>
                    {t('csv')}
                  </a>
                </span>
              }
              flush
            >
              <DataTable
                label={t('fees.by_loan')}
                rows={s.loans}
                columns={columns}
                rowKey={(l) => l.loan_id}
                page={50}
                empty={t('fees.nothing')}
              />
              <Propose statement={s} />
            </Panel>
          </>
        )}
      </Await>
      <Payouts payee={payee} />
    </>
  );
}

function Propose({ statement: s }: { statement: PayeeStatement }) {
  const { t } = useTranslation('ledger');
  const f = useFormats();
  const may = useMay();
  const deed = useRemittanceDeed();
  const [key, setKey] = useState(newKey);
  if (!may || (!s.due && !deed.error)) return null;
  return (
    <div className="panel-body">
      <p>{t('fees.to', { bank: s.payee.bank, account: s.payee.account })}</p>
      <Button
        type="primary"
        disabled={!!s.pending}
        loading={deed.isPending}
        onClick={() =>
          deed.mutate(
            { deed: 'propose', code: s.payee.code, through: s.through, key },
            { onSuccess: () => setKey(newKey()) },
          )
        }
      >
        {t('fees.propose', { amount: f.yuan(s.due) })}
      </Button>
      {deed.error ? <Problem error={deed.error} compact /> : null}
    </div>
  );
}

function Payouts({ payee }: { payee: FeePayee }) {
  const { t } = useTranslation('ledger');
  const f = useFormats();
  const w = useWords();
  const list = useRemittances(payee.code);
  const deed = useRemittanceDeed();
  const columns: Column<Remittance>[] = [
    {
      key: 'through',
      title: t('fees.through'),
      cell: (r) => <span className="nowrap">{f.date(r.through)}</span>,
    },
    { key: 'amount', title: t('fees.amount'), number: true, cell: (r) => f.yuan(r.amount) },
    {
      key: 'loans',
      title: t('fees.loans'),
      number: true,
      cell: (r) => <Link to={`/ledger/journal?item=${r.id}`}>{f.integer(r.loans)}</Link>,
    },
    {
      key: 'state',
      title: t('state'),
      cell: (r) => (
        <>
          <Pill tone={TONES[r.state]}>{t(`fees.state.${r.state}`)}</Pill>{' '}
          {r.reason ? w.refusal(r.reason) : r.note}
          {r.paid_on ? <small className="under">{f.date(r.paid_on)}</small> : null}
        </>
      ),
    },
  ];
  return (
    <>
      <Panel title={t('fees.payouts')} className="payouts" flush>
        <Await query={list} lines={3}>
          {(rows) => (
            <ByTwo
              label={t('fees.payouts')}
              empty={t('fees.no_payouts')}
              rows={rows}
              columns={columns}
              deed={deed}
              agree={t('fees.agree')}
              refuse={t('fees.refuse')}
            />
          )}
        </Await>
      </Panel>
      {list.data?.length ? <More list={list} /> : null}
    </>
  );
}
