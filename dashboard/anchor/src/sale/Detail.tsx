import type { PurchaseEvent, PurchaseOrder } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { useWords } from '@furrow/shared/words';
import { Alert, Button, Table, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { ActDialog } from './ActDialog';
import { type ActKind, actor, acts, stages } from './acts';
import { useSale } from './data';
import { StateTag } from './List';

/** One order: how far it is, what was ordered, what can be done and what was done. */
export function Detail() {
  const { t } = useTranslation('sale');
  const { id = '' } = useParams();
  const sale = useSale(id);
  useTitle(sale.data ? `${t('one')} · ${sale.data.order.user_name}` : t('one'));
  return (
    <>
      <p>
        <Link to="/sales">{t('back')}</Link>
      </p>
      <Await query={sale} lines={8}>
        {(page) => <Shown order={page.order} events={page.events} />}
      </Await>
    </>
  );
}

interface Page {
  order: PurchaseOrder;
  events: PurchaseEvent[];
}

function Shown({ order: o, events }: Page) {
  const { t } = useTranslation('sale');
  const f = useFormats();
  const words = useWords();
  const [wanted, setWanted] = useState<ActKind>();
  const waits = o.state === 'submitted' || o.state === 'confirmed';
  const facts: [string, string][] = [
    [t('buyer'), o.user_name],
    [t('loan'), words.product(o.product)],
    [t('rule'), t(`rules.${o.rule || 'at_once'}`)],
    [t('placed'), f.time(o.created_at)],
    ...(waits ? [[t('expires'), f.time(o.expires_at)] as [string, string]] : []),
    [t('account'), `${o.payee.bank ?? ''} ${o.payee.account ?? ''}`.trim() || t('none')],
    ...(o.loan_id ? [[t('loan_id'), o.loan_id] as [string, string]] : []),
  ];
  return (
    <>
      <h1 className="r-title">
        {t('one')} <StateTag state={o.state} />
      </h1>
      <Way order={o} events={events} />
      <dl className="r-sums">
        <div>
          <dt>{t('amount')}</dt>
          <dd>{f.yuan(o.amount)}</dd>
        </div>
        {o.refunded ? (
          <div>
            <dt>{t('refunded')}</dt>
            <dd>{f.yuan(o.refunded)}</dd>
          </div>
        ) : null}
      </dl>
      {o.reason ? <Alert className="a-notice" type="warning" showIcon title={o.reason} /> : null}
      <p className="fw-row">
        {acts(o).map((kind, i) => (
          <Button
            key={kind}
            size="large"
            type={i === 0 && kind !== 'decline' ? 'primary' : 'default'}
            danger={kind === 'decline'}
            onClick={() => setWanted(kind)}
          >
            {t(`act.${kind}`)}
          </Button>
        ))}
      </p>
      <dl className="a-file">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <section>
        <h2>{t('goods')}</h2>
        <Lines order={o} />
      </section>
      <Refunds order={o} />
      <Trail order={o} events={events} />
      {wanted ? <ActDialog order={o} kind={wanted} close={() => setWanted(undefined)} /> : null}
    </>
  );
}

/** The way of the order as a line of steps, the taken ones filled. */
function Way({ order: o, events }: Page) {
  const { t } = useTranslation('sale');
  const f = useFormats();
  const ended = ['cancelled', 'expired'].includes(o.state);
  return (
    <ol className="s-way">
      {stages(o, events).map((s) => (
        <li key={s.name} data-done={s.at ? true : undefined}>
          <b>{t(`stage.${s.name}`)}</b>
          <small>{s.at ? f.time(s.at) : t(ended ? 'stage_ended' : 'not_yet')}</small>
        </li>
      ))}
    </ol>
  );
}

type Line = PurchaseOrder['lines'][number];

function Lines({ order: o }: { order: PurchaseOrder }) {
  const { t } = useTranslation('sale');
  const f = useFormats();
  const words = useWords();
  const figure = (title: string, text: (l: Line) => string) => ({
    title,
    align: 'right' as const,
    className: 'fw-num',
    render: (_: unknown, l: Line) => text(l),
  });
  const columns: TableColumnsType<Line> = [
    { title: t('goods'), render: (_, l) => words.goods(l.goods) },
    figure(t('quantity'), (l) => `${l.quantity} ${words.unit(l.unit)}`),
    figure(t('price'), (l) => f.yuan(l.price)),
    figure(t('amount'), (l) => f.yuan(l.amount)),
    ...(o.refunded ? [figure(t('refunded'), (l) => f.yuan(l.refunded))] : []),
  ];
  return (
    <Table<Line>
      className="a-table"
      rowKey="nr"
      columns={columns}
      dataSource={o.lines}
      size="small"
      scroll={{ x: 'max-content' }}
      pagination={false}
    />
  );
}

function Refunds({ order: o }: { order: PurchaseOrder }) {
  const { t } = useTranslation('sale');
  const f = useFormats();
  if (!o.refunds?.length) return null;
  return (
    <section>
      <h2>{t('refunds')}</h2>
      <ul className="r-list">
        {o.refunds.map((r) => (
          <li key={r.id}>
            {f.time(r.at)} {r.reason}
            <span className="a-tag" data-state={`bank_${r.outcome}`}>
              {t(`outcome.${r.outcome}`)}
            </span>
            {r.failure ? <span>{r.failure}</span> : null}
            <b className="fw-num">{f.yuan(r.amount)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Every step that was taken, and by whom. */
function Trail({ order: o, events }: Page) {
  const { t } = useTranslation('sale');
  const f = useFormats();
  const me = useSession().user;
  const name = (e: PurchaseEvent) => {
    const who = actor(e, o, me.id);
    return who === 'buyer' ? o.user_name : who === 'me' ? me.name : t(`by.${who}`);
  };
  const said = (e: PurchaseEvent) => {
    if (e.kind === 'deliver') return o.delivery?.receipt_hash;
    if (e.kind === 'refund') return `¥${e.detail}`;
    return ['cancel', 'unpaid', 'unrefunded'].includes(e.kind) ? e.detail : undefined;
  };
  return (
    <section>
      <h2>{t('trail')}</h2>
      <ol className="r-past">
        {events.map((e) => (
          <li key={e.seq}>
            <span className="fw-muted fw-num">{f.time(e.at)}</span>
            <span>
              <b>{t(`event.${e.kind}`)}</b> {said(e)}
              <br />
              <small className="fw-muted">{name(e)}</small>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
