import '../lending/texts';
import { idempotencyKey } from '@furrow/shared/api/client';
import type { ApplicationDetail, Reason } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { fen, judge } from '../apply/amount';
import { useApplication, useDraw, useWithdraw } from '../data';
import { usePreview } from '../lending/data';
import { ask } from '../ui/ask';
import { Money } from '../ui/Money';
import { Plan } from '../ui/Plan';
import { Facts, Part, Screen } from '../ui/Screen';
import { LimitChanges } from './LimitChanges';
import { LimitPicture, pictureSteps, Raises } from './LimitPicture';
import { Cost, Offer } from './Offer';
import { Orders } from './Orders';
import { AskReview } from './Review';

/** Patience before the page says that it takes longer than usual, in ms. */
const SLOW = 30_000;

export default function Answer() {
  const { t } = useTranslation('answer');
  const { id = '' } = useParams();
  const application = useApplication(id);
  return (
    <Screen title={t('title')} back="/">
      <Await query={application}>{(detail) => <Told detail={detail} />}</Await>
    </Screen>
  );
}

function Told({ detail }: { detail: ApplicationDetail }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  const { application: a } = detail;
  // What the picture of the limit tells need not be told twice.
  const pictured = new Set(pictureSteps(detail.decision).map((step) => step.code));
  const reasons = (detail.decision?.reasons ?? []).filter((r) => !pictured.has(r.code));
  return (
    <>
      <div className="f-verdict" data-state={a.state} aria-live="polite">
        <Verdict detail={detail} />
      </div>
      {reasons.length ? (
        <Part title={t('why')}>
          <ul className="f-reasons">
            {reasons.map((r) => (
              <Why key={r.code + r.message} reason={r} />
            ))}
          </ul>
        </Part>
      ) : null}
      <LimitChanges changes={detail.limit_changes ?? []} />
      {detail.decision ? (
        <>
          <LimitPicture decision={detail.decision} />
          <Raises decision={detail.decision} />
        </>
      ) : null}
      {detail.product.directed && LENT.has(a.state) ? <Orders application={a.id} /> : null}
      {detail.contract || LENT.has(a.state) ? (
        <p className="f-links">
          <Link to={`/applications/${a.id}/contract`}>{t('offer:see_contract')}</Link>
          <Link to={`/applications/${a.id}/collateral`}>{t('offer:see_pledge')}</Link>
        </p>
      ) : null}
      <Facts
        of={[
          [t('asked.subject'), a.subject_name],
          [t('asked.amount'), f.yuan(a.asked)],
          [t('asked.term'), t('apply:term.months', { count: a.term_months })],
          [t('asked.purpose'), a.purpose],
        ]}
      />
      <Part title={t('steps')}>
        <ol className="f-steps">
          {(detail.steps ?? []).map((s) => (
            <li key={s.at + s.to}>
              <b>{t(`step.${s.to}`)}</b>
              <span className="f-hint">
                {t('by', {
                  name: s.actor === 'system' ? t('system') : s.actor_name,
                  time: f.time(s.at),
                })}
              </span>
              {s.note ? <span>{s.note}</span> : null}
            </li>
          ))}
        </ol>
      </Part>
      <AskReview detail={detail} />
      <Withdraw detail={detail} />
    </>
  );
}

function Verdict({ detail }: { detail: ApplicationDetail }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  const { application: a } = detail;
  switch (a.state) {
    case 'submitted':
    case 'deciding':
      return <Waiting />;
    case 'referred':
    case 'refused':
      return (
        <>
          <h2>{t(`${a.state}.title`)}</h2>
          <p>{t(`${a.state}.text`)}</p>
        </>
      );
    case 'draft':
      return (
        <>
          <h2>{t('draft.title')}</h2>
          <Link className="fw-button fw-primary f-big" to={`/apply?draft=${a.id}`}>
            {t('home:resume.go')}
          </Link>
        </>
      );
    case 'offered':
    case 'accepted':
      return <Offer detail={detail} />;
    case 'signed':
      if (detail.product.directed) return <Directed detail={detail} />;
      return <DrawMoney key={detail.available} id={a.id} limit={detail.available} />;
    case 'active':
      if (detail.product.revolving) return <Line detail={detail} />;
      return (
        <>
          <h2>{t('active.title')}</h2>
          <p className="f-limit">{f.yuan0(detail.loan?.principal ?? a.limit)}</p>
          {a.loan_id ? (
            <Link className="fw-button fw-primary f-big" to={`/loans/${a.loan_id}`}>
              {t('active.open')}
            </Link>
          ) : null}
        </>
      );
    default:
      return <h2>{t(`${a.state}.title`)}</h2>;
  }
}

/** A limit that is drawn again and again: what is out, what is left, and each loan. */
function Line({ detail }: { detail: ApplicationDetail }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  const { application: a } = detail;
  return (
    <>
      <h2>{t('line.title')}</h2>
      <Facts
        of={[
          [t('line.drawn'), f.yuan(detail.drawn)],
          [t('line.left'), f.yuan(detail.available)],
        ]}
      />
      {detail.product.directed ? (
        <Directed detail={detail} />
      ) : detail.available > 0 ? (
        <DrawMoney key={detail.available} id={a.id} limit={detail.available} />
      ) : null}
      <ul className="f-steps">
        {(detail.loans ?? [])
          .filter((l) => l.state === 'active' || l.state === 'overdue')
          .map((l) => (
            <li key={l.id}>
              <Link to={`/loans/${l.id}`}>
                {t('line.loan', { date: f.date(l.drawn_on), amount: f.yuan(l.principal) })}
              </Link>
            </li>
          ))}
      </ul>
    </>
  );
}

/** Money that goes to a seller: choose goods instead of drawing. */
function Directed({ detail }: { detail: ApplicationDetail }) {
  const { t } = useTranslation('buy');
  const f = useFormats();
  if (detail.available <= 0) return null;
  return (
    <>
      <h2>{t('directed')}</h2>
      <p className="f-limit">{f.yuan0(detail.available)}</p>
      <p>{t('directed_hint')}</p>
      <Link
        className="fw-button fw-primary f-big"
        to={`/applications/${detail.application.id}/buy`}
      >
        {t('choose')}
      </Link>
    </>
  );
}

function Waiting() {
  const { t } = useTranslation('answer');
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW);
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      <span className="f-working" aria-hidden="true" />
      <h2>{t('wait.title')}</h2>
      <p>{t(slow ? 'wait.slow' : 'wait.text')}</p>
    </>
  );
}

const signs: Record<string, string> = {
  refuse: '✕',
  refer: '?',
  lower: '−',
  raise: '+',
  info: 'i',
};

/** Effects whose amount is a change of the limit. */
const LIMIT_MOVES = new Set(['lower', 'raise']);

/** One rule's say, with what it did to the limit. */
function Why({ reason }: { reason: Reason }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  return (
    <li data-effect={reason.effect}>
      <span className="f-sign" aria-hidden="true">
        {signs[reason.effect]}
      </span>
      <span>
        {reason.message}
        <small className={reason.effect === 'info' ? 'f-hidden' : undefined}>
          {t(`effect.${reason.effect}`)}
          {reason.amount && LIMIT_MOVES.has(reason.effect)
            ? ` ${f.yuan0(Math.abs(reason.amount))}`
            : ''}
        </small>
      </span>
    </li>
  );
}

function DrawMoney({ id, limit }: { id: string; limit: number }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  const draw = useDraw(id);
  const [yuan, setYuan] = useState(String(limit / 100));
  // One key for one wish: it changes with the amount, not with the tap.
  const key = useRef({ yuan, key: idempotencyKey() });
  const amount = fen(yuan);
  const fault = judge(amount, 1, limit);
  const preview = usePreview(id, { amount: amount ?? undefined }, !fault);
  const send = async () => {
    if (fault || amount === null) return;
    if (key.current.yuan !== yuan) key.current = { yuan, key: idempotencyKey() };
    await draw.mutateAsync({ amount, key: key.current.key });
    Toast.show({ icon: 'success', content: t('signed.drawn') });
  };
  return (
    <>
      <h2>{t('signed.title')}</h2>
      <Money
        label={t('signed.amount')}
        value={yuan}
        onChange={setYuan}
        hint={t('signed.hint', { amount: f.yuan(limit) })}
        wrong={
          fault === 'too_high'
            ? t('signed.too_high', { max: f.yuan(limit) })
            : fault
              ? t('signed.not_amount')
              : ''
        }
      />
      {preview.data && !fault ? (
        <details className="f-more">
          <summary>
            {t('offer:draw_cost', {
              total: f.yuan(preview.data.cost.total),
              rate: f.rate(preview.data.cost.simple_rate),
            })}
          </summary>
          <Cost cost={preview.data.cost} amount={preview.data.amount} />
          <Plan rows={preview.data.rows} />
        </details>
      ) : null}
      {draw.error ? <Problem compact error={draw.error} /> : null}
      <Button
        block
        color="primary"
        size="large"
        loading={draw.isPending}
        disabled={!!fault}
        onClick={() => void send().catch(() => undefined)}
      >
        {t('signed.draw')}
      </Button>
    </>
  );
}

const LENT = new Set(['signed', 'active', 'closed']);

const WITHDRAWABLE = new Set([
  'draft',
  'submitted',
  'deciding',
  'offered',
  'accepted',
  'referred',
  'signed',
]);

function Withdraw({ detail }: { detail: ApplicationDetail }) {
  const { t } = useTranslation('answer');
  const withdraw = useWithdraw(detail.application.id);
  if (!WITHDRAWABLE.has(detail.application.state)) return null;
  return (
    <>
      {withdraw.error ? <Problem compact error={withdraw.error} /> : null}
      <button
        type="button"
        className="fw-button fw-quiet f-quiet"
        disabled={withdraw.isPending}
        onClick={async () => {
          if (await ask(t('withdraw_ask'))) withdraw.mutate(undefined);
        }}
      >
        {t('withdraw')}
      </button>
    </>
  );
}
