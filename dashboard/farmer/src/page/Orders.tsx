import type { PurchaseOrder } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useOrders } from '../lending/data';
import { Pill, type Tone } from '../ui/Pill';
import { Part } from '../ui/Screen';

const tones: Record<PurchaseOrder['state'], Tone> = {
  draft: 'wait',
  submitted: 'wait',
  confirmed: 'go',
  delivered: 'go',
  paying: 'wait',
  paid: 'done',
  refunding: 'wait',
  refunded: 'done',
  cancelled: 'stop',
  expired: 'stop',
};

export function OrderState(props: { state: PurchaseOrder['state'] }) {
  const { t } = useTranslation('buy');
  return <Pill tone={tones[props.state]}>{t(`state.${props.state}`)}</Pill>;
}

/** The orders under an application, newest first. */
export function Orders({ application }: { application: string }) {
  const { t } = useTranslation('buy');
  const f = useFormats();
  const orders = useOrders(application);
  return (
    <Part title={t('orders')}>
      <Await query={orders}>
        {({ items }) =>
          items?.length ? (
            <ul className="f-rows">
              {items.map((o) => (
                <li key={o.id}>
                  <Link className="f-row" to={`/orders/${o.id}`}>
                    <span className="f-row-text">
                      <span className="f-line">
                        <b>{f.yuan(o.amount)}</b>
                        <OrderState state={o.state} />
                      </span>
                      <span className="f-hint">{f.time(o.created_at)}</span>
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          ) : (
            <p className="f-hint">{t('no_orders')}</p>
          )
        }
      </Await>
    </Part>
  );
}
