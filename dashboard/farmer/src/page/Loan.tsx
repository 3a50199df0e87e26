import '../lending/texts';
import { idempotencyKey } from '@furrow/shared/api/client';
import type {
  FarmerRepayPreview,
  Instalment,
  Loan as LoanData,
  LoanStatement,
  LoanTransaction,
  StepBack,
} from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useDeferredValue, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { fen, judge } from '../apply/amount';
import { useLoan } from '../data';
import {
  usePayoff,
  useRefund,
  useRepay,
  useRepayPreview,
  useStatement,
  useStepBack,
} from '../lending/data';
import { months, span } from '../lending/months';
import { ask } from '../ui/ask';
import { Field } from '../ui/Field';
import { Money } from '../ui/Money';
import { Plan } from '../ui/Plan';
import { Facts, Part, Screen } from '../ui/Screen';
import { Tranches } from './Tranches';

export default function Loan() {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const { id = '' } = useParams();
  const loan = useLoan(id);
  return (
    <Screen title={t('title')} back="/">
      <Await query={loan} lines={10}>
        {({ loan: l, schedule, transactions, payoff, step_back }) => {
          const open = l.state === 'active' || l.state === 'overdue';
          return (
            <>
              <div className="f-verdict" data-state={l.state}>
                {l.overdue_amount ? (
                  <>
                    <h2>{t('overdue_amount')}</h2>
                    <p className="f-limit f-late">{f.yuan(l.overdue_amount)}</p>
                    <p>{t('overdue_days', { count: l.overdue_days })}</p>
                  </>
                ) : l.next_due ? (
                  <>
                    <h2>{t('next')}</h2>
                    <p className="f-limit">{f.yuan(l.next_amount)}</p>
                    <p>{f.date(l.next_due)}</p>
                  </>
                ) : (
                  <h2>{t(`home:loan_state.${l.state}`)}</h2>
                )}
                {open ? <Repay loan={l} total={payoff?.total ?? 0} /> : null}
              </div>
              {l.credit ? <Refund loan={l} /> : null}
              {l.tranches?.length ? <Tranches loan={l} /> : null}
              <Part title={t('calendar')}>
                <Calendar rows={schedule ?? []} />
                <details className="f-more">
                  <summary>{t('plan')}</summary>
                  <Plan rows={schedule ?? []} states />
                </details>
              </Part>
              <Facts
                of={[
                  [t('principal'), f.yuan(l.principal)],
                  [t('outstanding'), f.yuan(l.outstanding)],
                  [t('accrued'), f.yuan(l.accrued)],
                  ...(l.fee ? [[t('fee'), f.yuan(l.fee)] as [string, string]] : []),
                  [t('rate'), f.rate(l.rate)],
                  [t('method_name'), t(`method.${l.method}`)],
                  ...(l.credit ? [[t('credit'), f.yuan(l.credit)] as [string, string]] : []),
                ]}
              />
              <Penalty loan={l} />
              {open ? <Payoff loan={l} /> : null}
              {open && step_back ? <Back loan={l} of={step_back} /> : null}
              <Part title={t('transactions')}>
                <Lines of={transactions ?? []} />
              </Part>
              <Statement loan={l} />
              <p className="f-links">
                <Link to={`/applications/${l.application_id}/collateral`}>{t('see_pledge')}</Link>
                <Link to={`/applications/${l.application_id}`}>{t('back_to')}</Link>
              </p>
            </>
          );
        }}
      </Await>
    </Screen>
  );
}

/** Months with what is due in them; the colour says again what the word says. */
function Calendar({ rows }: { rows: Instalment[] }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  return (
    <ol className="f-months" data-testid="months">
      {months(rows).map((m) => (
        <li key={m.month} data-mark={m.mark}>
          <span>{m.month}</span>
          <b>{m.due ? f.yuanShort(m.mark === 'paid' ? m.due : m.left) : '—'}</b>
          <small>{t(`mark.${m.mark}`)}</small>
        </li>
      ))}
    </ol>
  );
}

function Repay({ loan, total }: { loan: LoanData; total: number }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const repay = useRepay(loan.id);
  const [yuan, setYuan] = useState('');
  // One key for one wish: it is renewed with the amount and after it was taken.
  const key = useRef({ yuan: '', key: '' });
  const amount = fen(yuan);
  const wrong = yuan && judge(amount, 1, Number.MAX_SAFE_INTEGER);
  const now = loan.overdue_amount || loan.next_amount;
  const preview = useRepayPreview(loan.id, useDeferredValue(wrong ? null : amount));
  const send = async () => {
    if (!amount || wrong) return;
    if (key.current.yuan !== yuan) key.current = { yuan, key: idempotencyKey() };
    await repay.mutateAsync({ amount, key: key.current.key });
    key.current = { yuan: '', key: '' };
    setYuan('');
    Toast.show({ icon: 'success', content: t('repay_done') });
  };
  return (
    <>
      <Money
        label={t('repay_amount')}
        value={yuan}
        onChange={setYuan}
        wrong={wrong ? t('not_amount') : ''}
      />
      <div className="f-quick">
        {now && (!total || now < total) ? (
          <button type="button" onClick={() => setYuan(String(now / 100))}>
            {t(loan.overdue_amount ? 'fill_due' : 'fill_next', { amount: f.yuan(now) })}
          </button>
        ) : null}
        {total ? (
          <button type="button" onClick={() => setYuan(String(total / 100))}>
            {t('fill_all', { amount: f.yuan(total) })}
          </button>
        ) : null}
      </div>
      {amount && !wrong && preview.data ? <Effect of={preview.data} /> : null}
      {preview.error ? <Problem compact error={preview.error} /> : null}
      {repay.error ? <Problem compact error={repay.error} /> : null}
      <Button
        block
        color="primary"
        size="large"
        disabled={!amount || !!wrong}
        loading={repay.isPending}
        onClick={() => void send().catch(() => undefined)}
      >
        {t('repay')}
      </Button>
    </>
  );
}

/** What a repayment would do, before it is made. */
function Effect({ of }: { of: FarmerRepayPreview }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const { transaction: x, loan: l } = of;
  const interest = (rows: Instalment[] | null) =>
    (rows ?? []).reduce((sum, r) => sum + r.interest, 0);
  const saved = interest(of.now) - interest(of.schedule);
  return (
    <div data-testid="effect" aria-live="polite">
      <h3>{t('effect')}</h3>
      {x ? (
        <Facts
          of={(
            [
              ['penalty', x.penalty],
              ['fee', x.fee],
              ['interest_part', x.interest],
              ['principal_part', x.principal],
              ['excess', x.excess],
            ] as const
          )
            .filter(([, fen]) => fen > 0)
            .map(([name, fen]) => [t(name), f.yuan(fen)])}
        />
      ) : null}
      <p>
        {of.ends
          ? t('ends')
          : l.next_due
            ? t('then', { date: f.date(l.next_due), amount: f.yuan(l.next_amount) })
            : t('then_none')}
      </p>
      {x && x.excess > 0 ? (
        <p className="f-hint">{t(of.ends ? 'excess_back' : 'excess_kept')}</p>
      ) : null}
      {saved > 0 ? <p className="f-good">{t('saved', { amount: f.yuan(saved) })}</p> : null}
    </div>
  );
}

/** Money that the bank holds for the borrower, and having it back. */
function Refund({ loan }: { loan: LoanData }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const refund = useRefund(loan.id);
  const key = useRef('');
  const send = async () => {
    if (!(await ask(t('refund_ask', { amount: f.yuan(loan.credit) })))) return;
    key.current ||= idempotencyKey();
    await refund.mutateAsync({ amount: loan.credit, key: key.current });
    key.current = '';
    Toast.show({ icon: 'success', content: t('refund_done') });
  };
  return (
    <Part title={t('refund')}>
      <p>{t('refund_hint', { amount: f.yuan(loan.credit) })}</p>
      {refund.error ? <Problem compact error={refund.error} /> : null}
      <Button
        block
        size="large"
        loading={refund.isPending}
        onClick={() => void send().catch(() => undefined)}
      >
        {t('refund_send')}
      </Button>
    </Part>
  );
}

/** Giving the money back within the days of cooling off: what it takes, and doing it. */
function Back({ loan, of }: { loan: LoanData; of: StepBack }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const back = useStepBack(loan.id);
  const key = useRef('');
  const { quote: q } = of;
  const send = async () => {
    if (!(await ask(t('back_ask', { amount: f.yuan(q.total) })))) return;
    key.current ||= idempotencyKey();
    await back.mutateAsync({ amount: q.total, key: key.current });
    key.current = '';
    Toast.show({ icon: 'success', content: t('back_done') });
  };
  return (
    <Part title={t('back')}>
      <p className="f-hint">{t('back_hint', { date: f.date(of.last) })}</p>
      <div data-testid="step-back">
        <Facts
          of={[
            [t('principal_part'), f.yuan(q.principal)],
            [t('interest_part'), f.yuan(q.interest)],
            ...(q.penalty ? [[t('penalty'), f.yuan(q.penalty)] as [string, string]] : []),
            ...(of.fees ? [[t('back_fees'), f.yuan(of.fees)] as [string, string]] : []),
            ...(q.credit ? [[t('credit'), f.yuan(-q.credit)] as [string, string]] : []),
            [t('back_total'), <b key="b">{f.yuan(q.total)}</b>],
          ]}
        />
      </div>
      {back.error ? <Problem compact error={back.error} /> : null}
      <Button
        block
        size="large"
        loading={back.isPending}
        onClick={() => void send().catch(() => undefined)}
      >
        {t('back_send')}
      </Button>
    </Part>
  );
}

function Penalty({ loan }: { loan: LoanData }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  return (
    <Part title={t('penalty_title')}>
      <p className="f-hint">
        {t('penalty_text', { rate: f.rate(loan.penalty_rate), usual: f.rate(loan.rate) })}
      </p>
      <p>{loan.penalty ? t('penalty_now', { amount: f.yuan(loan.penalty) }) : t('penalty_none')}</p>
    </Part>
  );
}

/** What ends the loan on a day. */
function Payoff({ loan }: { loan: LoanData }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const [date, setDate] = useState('');
  const quote = usePayoff(loan.id, date);
  const q = quote.data;
  return (
    <Part title={t('payoff')}>
      <Field
        label={t('payoff_date')}
        type="date"
        value={date}
        onChange={setDate}
        hint={t('payoff_hint')}
      />
      {q ? (
        <div data-testid="payoff">
          <Facts
            of={[
              [t('principal_part'), f.yuan(q.principal)],
              [t('interest_part'), f.yuan(q.interest)],
              ...(q.fee ? [[t('fee'), f.yuan(q.fee)] as [string, string]] : []),
              ...(q.penalty ? [[t('penalty'), f.yuan(q.penalty)] as [string, string]] : []),
              ...(q.credit ? [[t('credit'), f.yuan(-q.credit)] as [string, string]] : []),
              [t('payoff_total', { date: f.date(q.date) }), <b key="b">{f.yuan(q.total)}</b>],
            ]}
          />
        </div>
      ) : null}
      {quote.error ? <Problem compact error={quote.error} /> : null}
    </Part>
  );
}

function Lines({ of }: { of: LoanTransaction[] }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  if (!of.length) return <p className="f-hint">{t('no_lines')}</p>;
  return (
    <ul className="f-rows" data-testid="lines">
      {of.map((x) => (
        <li className="f-row" key={x.event}>
          <span className="f-row-text">
            <span className="f-line">
              <b>{t(`kind.${x.kind}`, { defaultValue: x.kind })}</b>
              <span className="fw-num">{f.yuan(x.amount)}</span>
            </span>
            <span className="f-hint">
              {f.date(x.date)}
              {x.interest || x.kind === 'repay'
                ? ` · ${t('of_which', { principal: f.yuan(x.principal), interest: f.yuan(x.interest) })}`
                : ''}
              {x.penalty ? t('penalty_of', { penalty: f.yuan(x.penalty) }) : ''}
              {x.excess > 0 ? ` · ${t('excess')} ${f.yuan(x.excess)}` : ''}
              {` · ${t('balance', { amount: f.yuan(x.balance) })}`}
              {x.reversed ? ` · ${t('reversed')}` : ''}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function Statement({ loan }: { loan: LoanData }) {
  const { t } = useTranslation('loan');
  const id = useId();
  const [month, setMonth] = useState('');
  const statement = useStatement(loan.id, month);
  const all = span(loan.drawn_on, loan.day_end || loan.drawn_on);
  return (
    <Part title={t('statement')}>
      <div className="f-field">
        <label htmlFor={id}>{t('statement_month')}</label>
        <span className="f-input">
          <select id={id} value={month} onChange={(e) => setMonth(e.target.value)}>
            <option value="">{t('statement_choose')}</option>
            {all.map((m) => (
              <option key={m} value={m}>
                {m}
              </option>
            ))}
          </select>
        </span>
      </div>
      {statement.data ? <Sheet of={statement.data} /> : null}
      {statement.error ? <Problem compact error={statement.error} /> : null}
    </Part>
  );
}

function Sheet({ of: m }: { of: LoanStatement }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const owes = (o: LoanStatement['opening']) => o.principal + o.interest + o.fee + o.penalty;
  return (
    <div data-testid="statement">
      <Facts
        of={[
          [t('opening', { date: f.date(m.from) }), f.yuan(owes(m.opening))],
          [t('month_interest'), f.yuan(m.interest)],
          ...(m.fee ? [[t('fee'), f.yuan(m.fee)] as [string, string]] : []),
          ...(m.penalty ? [[t('penalty'), f.yuan(m.penalty)] as [string, string]] : []),
          [t('closing', { date: f.date(m.to) }), <b key="c">{f.yuan(owes(m.closing))}</b>],
        ]}
      />
      <Lines of={m.lines ?? []} />
    </div>
  );
}
