import type { PurchaseTrace, PurchaseTracePart } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { StackedBar } from '../fund/Bar';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useTrace } from './data';
import { stateTone } from './tones';
import '../ledger/book.css';

/** The money of a loan, followed from each drawdown to goods and what came back. */
export function TracePage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('purchase');
  const trace = useTrace(id);
  return (
    <Page
      title={t('trace')}
      crumbs={[
        { to: '/loans', text: t('loans') },
        { to: `/loans/${encodeURIComponent(id)}`, text: t('loan') },
      ]}
    >
      <Await query={trace}>{(x) => <Followed trace={x} />}</Await>
    </Page>
  );
}

function Followed({ trace }: { trace: PurchaseTrace }) {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  // What is untraced counts beside the traced; deliveries and refunds are parts of that.
  const kept = Math.max(0, trace.traced - trace.refunded);
  return (
    <>
      <Figures
        items={[
          { name: t('drawn'), value: f.yuan(trace.drawn) },
          { name: t('traced'), value: f.yuan(trace.traced) },
          { name: t('delivered'), value: f.yuan(trace.delivered) },
          { name: t('refunded'), value: f.yuan(trace.refunded) },
          {
            name: t('untraced'),
            value: (
              <span className={trace.untraced ? 'bad' : undefined}>{f.yuan(trace.untraced)}</span>
            ),
          },
        ]}
      />
      {trace.drawn ? (
        <Panel title={t('where')}>
          <StackedBar
            label={t('where')}
            parts={[
              { key: 'kept', name: t('to_goods'), value: kept, text: f.yuan(kept) },
              {
                key: 'back',
                name: t('refunded'),
                value: trace.refunded,
                text: f.yuan(trace.refunded),
              },
              {
                key: 'lost',
                name: t('untraced'),
                value: trace.untraced,
                text: f.yuan(trace.untraced),
              },
            ]}
          />
        </Panel>
      ) : null}
      {trace.parts.length === 0 ? <Empty text={t('no_parts')} /> : null}
      {trace.parts.map((p) => (
        <Panel key={p.payment_id} title={`${f.date(p.date)} · ${f.yuan(p.amount)}`}>
          <Steps part={p} />
        </Panel>
      ))}
    </>
  );
}

/** A drawdown as five steps; a step that is missing is red. */
function Steps({ part }: { part: PurchaseTracePart }) {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const { order } = part;
  const gap = (code: string) => part.gaps.includes(code);
  return (
    <>
      <ol className="trace-steps">
        <li>
          <small className="fw-muted">1 · {t('step.draw')}</small>
          <b>{f.yuan(part.amount)}</b>
          <span>
            <Pill tone={stateTone(part.outcome)}>{t(`outcome.${part.outcome}`)}</Pill>{' '}
            {part.paid_to}
          </span>
        </li>
        <li data-missing={!order || gap('other_payee')}>
          <small className="fw-muted">2 · {t('step.order')}</small>
          {order ? (
            <>
              <b>{f.yuan(order.amount)}</b>
              <span>{order.payee.name}</span>
            </>
          ) : (
            <b>{t('gap.no_order')}</b>
          )}
        </li>
        <li data-missing={!order || gap('lines_differ')}>
          <small className="fw-muted">3 · {t('step.lines')}</small>
          {order ? (
            <ul>
              {order.lines.map((l) => (
                <li key={l.nr}>
                  {t(`category.${l.category}`, { defaultValue: l.category })} {l.quantity} ×{' '}
                  {f.yuan(l.price)} = {f.yuan(l.amount)}
                </li>
              ))}
            </ul>
          ) : (
            '—'
          )}
        </li>
        <li data-missing={gap('not_delivered')}>
          <small className="fw-muted">4 · {t('step.delivery')}</small>
          <b>{f.yuan(part.delivered)}</b>
          {order?.delivery ? (
            <span>
              {f.time(order.delivery.at)} {t(`by.${order.delivery.by}`)}
              {order.delivery.receipt_hash ? (
                <code title={order.delivery.receipt_hash}>
                  {t('receipt', { hash: order.delivery.receipt_hash.slice(0, 16) })}
                </code>
              ) : null}
            </span>
          ) : null}
        </li>
        <li data-missing={gap('refund_not_booked')}>
          <small className="fw-muted">5 · {t('step.refund')}</small>
          <b>{f.yuan(part.refunded)}</b>
          {(order?.refunds ?? []).map((r) => (
            <span key={r.id}>
              {f.yuan(r.amount)} {r.reason}
            </span>
          ))}
        </li>
      </ol>
      {part.gaps.length ? (
        <p className="bad">
          {part.gaps.map((g) => t(`gap.${g}`, { defaultValue: g })).join(' · ')}
        </p>
      ) : null}
    </>
  );
}
