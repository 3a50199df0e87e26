import type { ApplicationDetail, LoanCost } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd-mobile';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { fen, judge } from '../apply/amount';
import { useAccept, usePreview } from '../lending/data';
import { Choice } from '../ui/Choice';
import { Money } from '../ui/Money';
import { Plan } from '../ui/Plan';
import { Facts, Part } from '../ui/Screen';
import { TranchePlan } from './Tranches';

/** All that a loan costs: the two yearly rates, each kind of cost, the total. */
export function Cost(props: { cost: LoanCost; amount: number; penalty?: number }) {
  const { t, i18n } = useTranslation('offer');
  const f = useFormats();
  const { cost } = props;
  const fees = (cost.charges ?? []).map((x): [string, string] => [
    t('fee', {
      name: x.name[i18n.language] ?? x.code,
      payee: t(`payee.${x.payee}`),
      when: t(`when.${x.when}`),
    }),
    f.yuan(x.amount),
  ]);
  return (
    <div data-testid="cost">
      <Facts
        of={[
          [t('simple'), <b key="simple">{f.rate(cost.simple_rate)}</b>],
          [t('irr'), f.rate(cost.irr)],
          [t('interest'), f.yuan(cost.interest)],
          ...fees,
          [t('fees'), cost.fees ? f.yuan(cost.fees) : t('no_fees')],
          [t('total'), <b key="total">{f.yuan(cost.total)}</b>],
          ...(props.penalty ? [[t('penalty'), f.rate(props.penalty)] as [string, string]] : []),
        ]}
      />
      <CostBar cost={cost} amount={props.amount} />
      <p className="f-hint">{t('rates_hint')}</p>
    </div>
  );
}

/** What is paid back, as a bar: what was borrowed, and what is paid on top. */
function CostBar({ cost, amount }: { cost: LoanCost; amount: number }) {
  const { t } = useTranslation('offer');
  const f = useFormats();
  const share = (fen: number) => `${(100 * fen) / Math.max(cost.total, 1)}%`;
  return (
    <p className="f-split">
      <span className="f-split-bar" aria-hidden="true">
        <i style={{ width: share(amount) }} />
        <i data-part="cost" style={{ width: share(cost.interest + cost.fees) }} />
      </span>
      <small>
        {t('split', { amount: f.yuan0(amount), cost: f.yuan(cost.interest + cost.fees) })}
      </small>
    </p>
  );
}

/** The offer with its costs, other amounts and ways to try, and the way on. */
export function Offer({ detail }: { detail: ApplicationDetail }) {
  const { t } = useTranslation('offer');
  const f = useFormats();
  const navigate = useNavigate();
  const { application: a, product } = detail;
  const accept = useAccept(a.id);
  const [yuan, setYuan] = useState(String(a.limit / 100));
  const [method, setMethod] = useState<string>();
  const [months, setMonths] = useState(a.term_months);
  const amount = fen(yuan);
  const fault = judge(amount, 1, a.limit);
  const preview = usePreview(
    a.id,
    { amount: amount ?? undefined, method, term_months: months },
    !fault,
  );
  const p = preview.data;
  const way = method ?? p?.methods[0];
  const terms = product.revolving ? product.terms.filter((m) => m <= a.term_months) : [];
  const think = a.state === 'offered' && !!p?.think_hours;
  const contract = `/applications/${a.id}/contract${method ? `?method=${method}` : ''}`;
  return (
    <>
      <h2>{t(a.state === 'accepted' ? 'accepted' : 'title')}</h2>
      <p className="f-limit" data-testid="limit">
        {f.yuan0(a.limit)}
      </p>
      <p>
        {t('asked', { amount: f.yuan0(a.asked) })} ·{' '}
        {t('apply:term.months', { count: a.term_months })}
      </p>
      {detail.expires_at ? (
        <p className="f-hint">{t('until', { date: f.date(detail.expires_at) })}</p>
      ) : null}
      {p ? <Cost cost={p.cost} amount={p.amount} penalty={p.penalty_rate} /> : null}
      {p?.tranches ? <TranchePlan of={p.tranches} /> : null}
      {preview.error ? <Problem compact error={preview.error} /> : null}
      {accept.error ? <Problem compact error={accept.error} /> : null}
      <Button
        block
        color="primary"
        size="large"
        loading={accept.isPending}
        onClick={() => (think ? accept.mutate(undefined) : navigate(contract))}
      >
        {t(think ? 'accept' : 'sign')}
      </Button>
      {p?.think_hours ? (
        <p className="f-hint">{t('think', { hours: f.integer(p.think_hours) })}</p>
      ) : null}
      {p?.cooling_days ? (
        <p className="f-hint">{t('cooling', { days: f.integer(p.cooling_days) })}</p>
      ) : null}
      <details className="f-more">
        <summary>{t('try')}</summary>
        <Money
          label={t('try_amount')}
          value={yuan}
          onChange={setYuan}
          hint={t('try_hint', { max: f.yuan0(a.limit) })}
          wrong={fault ? t('try_wrong', { max: f.yuan0(a.limit) }) : ''}
        />
        {terms.length > 1 ? (
          <Choice
            label={t('apply:term.label')}
            columns={3}
            value={months}
            onChange={(m: number) => setMonths(m)}
            options={terms.map((m) => ({
              value: m,
              label: t('apply:term.months', { count: m }),
            }))}
          />
        ) : null}
        {p && p.methods.length > 1 ? (
          <Choice
            label={t('loan:method_name')}
            value={way}
            onChange={(m: string) => setMethod(m)}
            options={p.methods.map((m) => ({ value: m, label: t(`loan:method.${m}`) }))}
          />
        ) : null}
        {p ? (
          <Part title={t('rows')}>
            <Plan rows={p.rows} />
          </Part>
        ) : null}
      </details>
      <Sureties detail={detail} />
    </>
  );
}

/** Who answers for the loan besides the borrower, and who has signed. */
function Sureties({ detail }: { detail: ApplicationDetail }) {
  const { t } = useTranslation('offer');
  const f = useFormats();
  const list = detail.sureties ?? [];
  if (!list.length) return null;
  return (
    <Part title={t('sureties')}>
      <Facts
        of={list.map((x) => [
          x.name,
          x.signed_at ? t('surety_signed', { time: f.time(x.signed_at) }) : t('surety_waits'),
        ])}
      />
    </Part>
  );
}
