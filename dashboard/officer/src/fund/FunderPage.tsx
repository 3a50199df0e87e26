import type { FundedLoan, Participant, SubsidyRow } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button, Modal } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { Day } from '../ledger/Span';
import { MissingPage } from '../pages/Missing';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { Facts, Figures, Page, Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { fenOf } from '../receivable/fen';
import {
  newKey,
  statementFile,
  subsidyFile,
  useFunders,
  useSettle,
  useStatement,
  useSubsidy,
} from './data';
import { dayOf, monthOf, quarters } from './period';
import '../ledger/book.css';

/** A funder: its statement of a month, or what a government owes for a quarter. */
export function FunderPage() {
  const { code = '' } = useParams();
  const { t } = useTranslation('fund');
  const book = useFunders();
  return (
    <Await query={book}>
      {(b) => {
        const funder = b.funders.find((x) => x.code === code);
        return funder ? <One funder={funder} title={t('title')} /> : <MissingPage />;
      }}
    </Await>
  );
}

function One({ funder, title }: { funder: Participant; title: string }) {
  const { t, i18n } = useTranslation('fund');
  const may = useMay();
  const [settling, setSettling] = useState(false);
  return (
    <Page
      title={funder.name[i18n.language] ?? funder.code}
      crumbs={[{ to: '/funds', text: title }]}
      lead={t(`kind.${funder.kind}`)}
      actions={
        may && funder.kind !== 'own' ? (
          <Button onClick={() => setSettling(true)}>{t('settle')}</Button>
        ) : null
      }
    >
      <Statement code={funder.code} />
      {funder.kind === 'government' ? <Subsidy code={funder.code} /> : null}
      {settling ? <SettleDialog code={funder.code} onClose={() => setSettling(false)} /> : null}
    </Page>
  );
}

const STOCK = ['opening', 'drawn', 'repaid', 'taken_over', 'lost', 'closing'] as const;
const FLOW = [
  'interest',
  'servicing',
  'draw_fee',
  'fee',
  'penalty',
  'recovered',
  'spread',
] as const;
const SETTLED = ['due_before', 'settled', 'due'] as const;

function Statement({ code }: { code: string }) {
  const { t } = useTranslation('fund');
  const f = useFormats();
  const [chosen, setChosen] = useParam('month');
  const month = chosen || monthOf(new Date());
  const statement = useStatement(code, month);
  const columns: Column<FundedLoan>[] = [
    {
      key: 'loan',
      title: t('loan'),
      cell: (l) =>
        l.loan_id ? (
          <Link to={`/loans/${encodeURIComponent(l.loan_id)}`} title={l.loan_id}>
            …{l.loan_id.slice(-8)}
          </Link>
        ) : (
          t('no_loan')
        ),
    },
    ...[...STOCK, 'interest' as const, 'due' as const].map((name) => ({
      key: name,
      title: t(`row.${name}`),
      number: true,
      sort: (l: FundedLoan) => l[name],
      cell: (l: FundedLoan) => f.yuan(l[name]),
    })),
  ];
  return (
    <>
      <div className="filters">
        <Day label={t('month')} type="month" value={month} onChange={setChosen} />
        <a className="fw-button" href={statementFile(code, month)} download>
          {t('csv')}
        </a>
      </div>
      <Await query={statement}>
        {(s) => (
          <>
            <Figures
              items={[
                { name: t('row.opening'), value: f.yuan(s.opening), note: f.date(s.from) },
                { name: t('row.closing'), value: f.yuan(s.closing), note: f.date(s.to) },
                {
                  name: t(s.due < 0 ? 'owes_us' : 'owed_to'),
                  value: f.yuan(Math.abs(s.due)),
                },
              ]}
            />
            <Panel title={t('movements')}>
              <Facts
                rows={[...STOCK, ...FLOW, 'subsidy' as const, ...SETTLED].map((name) => [
                  t(`row.${name}`),
                  <span key={name} className="fw-num">
                    {f.yuan(s[name])}
                  </span>,
                ])}
              />
            </Panel>
            <Panel title={t('by_loan')} flush>
              <DataTable
                label={t('by_loan')}
                rows={s.loans}
                columns={columns}
                rowKey={(l) => l.loan_id}
                page={50}
                empty={t('no_loans')}
              />
            </Panel>
          </>
        )}
      </Await>
    </>
  );
}

function Subsidy({ code }: { code: string }) {
  const { t } = useTranslation('fund');
  const f = useFormats();
  const w = useWords();
  const [chosen, setChosen] = useParam('quarter');
  const offered = quarters(monthOf(new Date()), 4);
  const quarter = chosen || (offered[0] ?? '');
  const list = useSubsidy(code, quarter);
  const columns: Column<SubsidyRow>[] = [
    {
      key: 'loan',
      title: t('loan'),
      cell: (r) => (
        <Link to={`/loans/${encodeURIComponent(r.loan_id)}`} title={r.loan_id}>
          …{r.loan_id.slice(-8)}
        </Link>
      ),
    },
    { key: 'product', title: t('products'), cell: (r) => w.product(r.product) },
    { key: 'principal', title: t('principal'), number: true, cell: (r) => f.yuan(r.principal) },
    { key: 'rate', title: t('rate'), number: true, cell: (r) => f.rate(r.rate) },
    { key: 'until', title: t('until'), cell: (r) => f.date(r.until) },
    { key: 'interest', title: t('interest_paid'), number: true, cell: (r) => f.yuan(r.interest) },
    { key: 'amount', title: t('claimed'), number: true, cell: (r) => f.yuan(r.amount) },
  ];
  return (
    <Panel
      title={t('subsidy')}
      flush
      extra={
        <a className="fw-button" href={subsidyFile(code, quarter)} download>
          {t('csv')}
        </a>
      }
    >
      <div className="panel-body">
        <Choice
          label={t('quarter')}
          value={quarter}
          options={offered.map((q) => ({ value: q, text: q }))}
          onChange={setChosen}
        />
      </div>
      <Await query={list}>
        {(s) => (
          <>
            <p className="panel-body">{t('claim_of', { amount: f.yuan(s.amount), quarter })}</p>
            <DataTable
              label={t('subsidy')}
              rows={s.loans}
              columns={columns}
              rowKey={(r) => r.loan_id}
              page={50}
              empty={t('no_claims')}
            />
          </>
        )}
      </Await>
    </Panel>
  );
}

/** Enters a transfer that the bank's account shows. */
function SettleDialog({ code, onClose }: { code: string; onClose(): void }) {
  const { t } = useTranslation('fund');
  const id = useId();
  const settle = useSettle(code);
  const [key] = useState(newKey);
  const [amount, setAmount] = useState('');
  const [paid, setPaid] = useState(true);
  const [date, setDate] = useState(dayOf(new Date()));
  const [ref, setRef] = useState('');
  const fen = fenOf(amount) ?? 0;
  return (
    <Modal
      open
      title={t('settle')}
      okText={t('settle_ok')}
      okButtonProps={{
        loading: settle.isPending,
        disabled: fen <= 0 || !date || !ref.trim(),
      }}
      onOk={() =>
        settle.mutate(
          { key, amount: paid ? fen : -fen, date, ref: ref.trim() },
          { onSuccess: onClose },
        )
      }
      onCancel={onClose}
    >
      <div className="book-form">
        <fieldset>
          <legend className="sr-only">{t('direction')}</legend>
          {[true, false].map((we) => (
            <label key={String(we)}>
              <input
                type="radio"
                name={`${id}way`}
                checked={paid === we}
                onChange={() => setPaid(we)}
              />
              {t(we ? 'we_paid' : 'they_paid')}
            </label>
          ))}
        </fieldset>
        <p>
          <label htmlFor={`${id}a`}>{t('amount_yuan')}</label>
          <input
            id={`${id}a`}
            inputMode="decimal"
            maxLength={20}
            value={amount}
            onChange={(e) => setAmount(e.target.value)}
          />
        </p>
        <p>
          <label htmlFor={`${id}d`}>{t('transfer_day')}</label>
          <input id={`${id}d`} type="date" value={date} onChange={(e) => setDate(e.target.value)} />
        </p>
        <p>
          <label htmlFor={`${id}r`}>{t('transfer_ref')}</label>
          <input
            id={`${id}r`}
            maxLength={200}
            value={ref}
            onChange={(e) => setRef(e.target.value)}
          />
        </p>
      </div>
      {settle.error ? <Problem error={settle.error} compact /> : null}
    </Modal>
  );
}
