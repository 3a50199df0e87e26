import '../lending/texts';
import type { PurchaseOrder } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useOrder, useOrderStep, useShelf, useTrace } from '../lending/data';
import { ask } from '../ui/ask';
import { Receipt } from '../ui/Receipt';
import { Refusal } from '../ui/Refusal';
import { Facts, Part, Screen } from '../ui/Screen';
import { OrderState } from './Orders';

const CANCELLABLE = new Set(['draft', 'submitted', 'confirmed']);
/** Delivery can be confirmed before the payment, or after it where the product pays first. */
const DELIVERABLE = new Set(['confirmed', 'paid']);

/** An order: where it stands, what the buyer has to do, and where the money went. */
export default function Order() {
  const { t } = useTranslation('buy');
  const f = useFormats();
  const { id = '' } = useParams();
  const order = useOrder(id);
  return (
    <Screen title={t('order')} back="/">
      <Await query={order} lines={10}>
        {({ order: o, events }) => (
          <>
            <div className="f-verdict" data-state={o.state} aria-live="polite">
              <h2>
                <OrderState state={o.state} />
              </h2>
              <p className="f-limit">{f.yuan(o.amount)}</p>
              <p>{o.payee.name}</p>
              <Way order={o} />
              <Next order={o} />
            </div>
            <Lines order={o} />
            <Part title={t('events')}>
              <ol className="f-steps">
                {(events ?? []).map((e) => (
                  <li key={e.seq}>
                    <b>{t(`event.${e.kind}`)}</b>
                    <span className="f-hint">{f.time(e.at)}</span>
                  </li>
                ))}
              </ol>
            </Part>
            {o.loan_id ? <Trace order={o} loan={o.loan_id} /> : null}
            <p className="f-links">
              {o.loan_id ? <Link to={`/loans/${o.loan_id}`}>{t('see_loan')}</Link> : null}
              <Link to={`/applications/${o.application_id}`}>{t('loan:back_to')}</Link>
            </p>
          </>
        )}
      </Await>
    </Screen>
  );
}

const WAY = ['submitted', 'confirmed', 'delivered', 'paid'] as const;

/** The way of an order as a line of stops; what is done is said in words too. */
function Way({ order }: { order: PurchaseOrder }) {
  const { t } = useTranslation('buy');
  const stops = order.rule ? WAY : (['submitted', 'confirmed', 'paid', 'delivered'] as const);
  const done = {
    submitted: order.state !== 'draft',
    confirmed: !['draft', 'submitted', 'cancelled', 'expired'].includes(order.state),
    delivered: !!order.delivery,
    paid: !!order.paid_at,
  };
  return (
    <ol className="f-way-line">
      {stops.map((s) => (
        <li key={s} data-done={done[s]}>
          <span aria-hidden="true">{done[s] ? '✓' : '○'}</span>
          {t(`stop.${s}`)}
          <span className="f-hidden">{t(done[s] ? 'stop_done' : 'stop_open')}</span>
        </li>
      ))}
    </ol>
  );
}

function Next({ order: o }: { order: PurchaseOrder }) {
  const { t } = useTranslation('buy');
  const f = useFormats();
  const step = useOrderStep(o.id, o.application_id);
  const [receipt, setReceipt] = useState('');
  const deliver = DELIVERABLE.has(o.state) && !o.delivery;
  const failed = (o.state === 'confirmed' || o.state === 'delivered') && o.attempt > 0;
  const go = async (what: 'submit' | 'deliver' | 'pay' | 'cancel', question?: string) => {
    if (question && !(await ask(question))) return;
    await step.mutateAsync({ what, receipt });
    Toast.show({ icon: 'success', content: t('done') });
  };
  const button = (what: 'submit' | 'deliver' | 'pay', question?: string) => (
    <Button
      block
      color="primary"
      size="large"
      loading={step.isPending}
      onClick={() => void go(what, question).catch(() => undefined)}
    >
      {t(`do.${what}`)}
    </Button>
  );
  return (
    <>
      {o.reason ? <p className="f-error">{o.reason}</p> : null}
      {o.state === 'submitted' ? <p>{t('waits_seller', { date: f.date(o.expires_at) })}</p> : null}
      {o.state === 'paying' ? <p>{t('waits_bank')}</p> : null}
      {o.state === 'draft' ? button('submit') : null}
      {deliver ? <Receipt hash={receipt} onChange={setReceipt} /> : null}
      {deliver ? button('deliver', t('deliver_ask')) : null}
      {o.delivery?.receipt_hash ? (
        <p className="f-hint f-break" data-testid="receipt">
          {t('photo.hash', { hash: o.delivery.receipt_hash.slice(0, 16) })}
        </p>
      ) : null}
      {failed ? button('pay') : null}
      <Refusal error={step.error} />
      {CANCELLABLE.has(o.state) ? (
        <button
          type="button"
          className="fw-button fw-quiet f-quiet"
          disabled={step.isPending}
          onClick={() => void go('cancel', t('cancel_ask')).catch(() => undefined)}
        >
          {t('cancel')}
        </button>
      ) : null}
    </>
  );
}

function Lines({ order: o }: { order: PurchaseOrder }) {
  const { t, i18n } = useTranslation('buy');
  const f = useFormats();
  const shelf = useShelf(o.application_id);
  const name = (code: string) =>
    shelf.data?.offers?.find((x) => x.goods.code === code)?.goods.name[i18n.language] ?? code;
  return (
    <Part title={t('lines')}>
      <Facts
        of={(o.lines ?? []).map((l) => [
          name(l.goods),
          <span key={l.nr}>
            <b>{f.yuan(l.amount)}</b>
            <small className="f-hint">
              {' '}
              {t('line_of', {
                quantity: l.quantity,
                unit: t(`unit.${l.unit}`, { defaultValue: l.unit }),
                price: f.yuan(l.price),
              })}
              {l.refunded ? ` · ${t('line_refunded', { amount: f.yuan(l.refunded) })}` : ''}
            </small>
          </span>,
        ])}
      />
    </Part>
  );
}

/** The money of the loan, followed to the goods. */
function Trace({ order, loan }: { order: PurchaseOrder; loan: string }) {
  const { t } = useTranslation('buy');
  const f = useFormats();
  const trace = useTrace(loan);
  return (
    <Part title={t('trace')}>
      <Await query={trace}>
        {(x) => (
          <div data-testid="trace">
            <Facts
              of={[
                [t('trace_drawn'), f.yuan(x.drawn)],
                [t('trace_paid'), order.payee.name],
                [t('trace_traced'), f.yuan(x.traced)],
                [t('trace_delivered'), f.yuan(x.delivered)],
                ...(x.refunded
                  ? [[t('trace_refunded'), f.yuan(x.refunded)] as [string, string]]
                  : []),
                ...(x.untraced
                  ? [[t('trace_untraced'), f.yuan(x.untraced)] as [string, string]]
                  : []),
              ]}
            />
            {(x.parts ?? []).map((p) => (
              <p className="f-hint f-break" key={p.payment_id}>
                {t('trace_part', { date: f.date(p.date), amount: f.yuan(p.amount), ref: p.ref })}
              </p>
            ))}
          </div>
        )}
      </Await>
    </Part>
  );
}
