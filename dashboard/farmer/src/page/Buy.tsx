import '../lending/texts';
import { idempotencyKey } from '@furrow/shared/api/client';
import type { PurchaseOffer, PurchaseShelf } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { Button } from 'antd-mobile';
import { useDeferredValue, useId, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { useOrderCheck, usePlace, useShelf } from '../lending/data';
import { type Refusal as Against, ofLine, ofOrder, type Typed, wanted } from '../lending/order';
import { Choice } from '../ui/Choice';
import { Field } from '../ui/Field';
import { Money } from '../ui/Money';
import { Refusal } from '../ui/Refusal';
import { Screen } from '../ui/Screen';

/** Goods for money that is paid to the seller: who sells, what, how much, at what price. */
export default function Buy() {
  const { t } = useTranslation('buy');
  const { id = '' } = useParams();
  const shelf = useShelf(id);
  if (shelf.data) return <Basket id={id} shelf={shelf.data} />;
  return (
    <Screen title={t('title')} back={`/applications/${id}`}>
      <Await query={shelf}>{() => null}</Await>
    </Screen>
  );
}

const blank = (): Typed & { id: string } => ({
  id: idempotencyKey(),
  goods: '',
  quantity: '',
  yuan: '',
});

function Basket({ id, shelf }: { id: string; shelf: PurchaseShelf }) {
  const { t } = useTranslation('buy');
  const f = useFormats();
  const navigate = useNavigate();
  const sellers = shelf.sellers ?? [];
  const [seller, setSeller] = useState(sellers.length === 1 ? (sellers[0]?.id ?? '') : '');
  const [lines, setLines] = useState(() => [blank()]);
  const key = useRef({ of: '', key: '' });
  const place = usePlace(id);
  const offers = (shelf.offers ?? []).filter((o) => o.sellers?.includes(seller));

  const filled = useMemo(() => lines.map(wanted), [lines]);
  const whole = filled.every((l) => l !== null);
  const ask = useMemo(
    () =>
      seller && filled.some((l) => l !== null)
        ? { application_id: id, seller_id: seller, lines: filled.filter((l) => l !== null) }
        : null,
    [id, seller, filled],
  );
  const check = useOrderCheck(useDeferredValue(ask));
  const against: Against[] = ask ? (check.data?.refusals ?? []) : [];
  // Lines that are not filled in are not sent: a place among those sent is found again.
  const nrOf = (at: number) => filled.slice(0, at).filter((l) => l !== null).length;
  const fresh = !check.isFetching && !!check.data && !check.isPlaceholderData;
  const ready = whole && !!ask && fresh && !against.length;

  const change = (at: number, to: Partial<Typed>) =>
    setLines(lines.map((l, i) => (i === at ? { ...l, ...to } : l)));
  const send = async () => {
    if (!ask || !ready) return;
    const of = JSON.stringify(ask);
    if (key.current.of !== of) key.current = { of, key: idempotencyKey() };
    const order = await place.mutateAsync({ ...ask, key: key.current.key });
    navigate(`/orders/${order.id}`, { replace: true });
  };

  return (
    <Screen
      title={t('title')}
      back={`/applications/${id}`}
      foot={
        <Button
          block
          color="primary"
          size="large"
          disabled={!ready}
          loading={place.isPending}
          onClick={() => void send().catch(() => undefined)}
        >
          {check.data && ask ? t('place_sum', { sum: f.yuan(check.data.amount) }) : t('place')}
        </Button>
      }
    >
      <p className="f-hint">{t('free', { amount: f.yuan(shelf.free) })}</p>
      <p className="f-hint">{t(`rule.${shelf.rule || 'none'}`)}</p>
      {sellers.length ? (
        <Choice
          label={t('seller')}
          value={seller}
          onChange={(s: string) => {
            setSeller(s);
            setLines([blank()]);
          }}
          options={sellers.map((s) => ({ value: s.id, label: s.name }))}
        />
      ) : (
        <Empty text={t('no_sellers')} />
      )}
      {seller
        ? lines.map((line, at) => (
            <Line
              key={line.id}
              nr={at + 1}
              line={line}
              offers={offers}
              against={filled[at] ? ofLine(against, nrOf(at)) : []}
              onChange={(to) => change(at, to)}
              {...(lines.length > 1
                ? { onDrop: () => setLines(lines.filter((_, i) => i !== at)) }
                : {})}
            />
          ))
        : null}
      {seller && offers.length ? (
        <button
          type="button"
          className="fw-button f-big"
          disabled={lines.length >= 50}
          onClick={() => setLines([...lines, blank()])}
        >
          {t('add')}
        </button>
      ) : null}
      {ofOrder(against).map((r) => (
        <p className="f-error" role="alert" data-code={r.code} key={r.code + r.location}>
          {r.message}
        </p>
      ))}
      <Refusal error={check.error ?? place.error} />
    </Screen>
  );
}

function Line(props: {
  nr: number;
  line: Typed;
  offers: PurchaseOffer[];
  against: Against[];
  onChange(to: Partial<Typed>): void;
  onDrop?: () => void;
}) {
  const { t, i18n } = useTranslation('buy');
  const f = useFormats();
  const select = useId();
  const { line, offers, against, onChange } = props;
  const offer = offers.find((o) => o.goods.code === line.goods);
  const unit = offer ? t(`unit.${offer.goods.unit}`, { defaultValue: offer.goods.unit }) : '';
  const name = (o: PurchaseOffer) => o.goods.name[i18n.language] ?? o.goods.code;
  const at = (field: string) =>
    against
      .filter((r) => r.location.endsWith(field))
      .map((r) => r.message)
      .join(' ');
  const other = against.filter((r) => !/\.(goods|quantity|price)$/.test(r.location));
  return (
    <section className="f-card f-order-line" aria-label={t('line', { nr: props.nr })}>
      <div className="f-field">
        <label htmlFor={select}>{t('goods')}</label>
        <span className={at('.goods') ? 'f-input f-wrong' : 'f-input'}>
          <select
            id={select}
            value={line.goods}
            onChange={(e) => onChange({ goods: e.target.value })}
          >
            <option value="">{t('choose_goods')}</option>
            {offers.map((o) => (
              <option key={o.goods.code} value={o.goods.code}>
                {o.in_season ? name(o) : t('not_now', { name: name(o) })}
              </option>
            ))}
          </select>
        </span>
        {at('.goods') ? (
          <p className="f-error" role="alert">
            {at('.goods')}
          </p>
        ) : null}
      </div>
      {offer ? (
        <>
          <Field
            label={t('quantity', { unit })}
            value={line.quantity}
            onChange={(quantity) => onChange({ quantity })}
            hint={offer.most ? t('most', { most: offer.most, unit }) : ''}
            wrong={at('.quantity')}
          />
          <Money
            label={t('price', { unit })}
            value={line.yuan}
            onChange={(yuan) => onChange({ yuan })}
            hint={
              offer.high
                ? t('band', { low: f.yuan(offer.low), high: f.yuan(offer.high), unit })
                : t('no_band')
            }
            wrong={at('.price')}
          />
          {offer.high ? (
            <Band low={offer.low} high={offer.high} price={wanted(line)?.price ?? null} />
          ) : null}
        </>
      ) : null}
      {other.map((r) => (
        <p className="f-error" role="alert" data-code={r.code} key={r.code}>
          {r.message}
        </p>
      ))}
      {props.onDrop ? (
        <button type="button" className="fw-button f-big" onClick={props.onDrop}>
          {t('drop')}
        </button>
      ) : null}
    </section>
  );
}

/** The price against those that are usual here, as a picture. */
function Band(props: { low: number; high: number; price: number | null }) {
  const { t } = useTranslation('buy');
  const { low, high, price } = props;
  // The band takes the middle half; what lies further out stands at the edge.
  const at = (fen: number) =>
    Math.min(Math.max(25 + (50 * (fen - low)) / Math.max(high - low, 1), 0), 100);
  const where = price === null ? '' : price < low ? 'low' : price > high ? 'high' : 'in';
  return (
    <div className="f-band" data-where={where}>
      <span aria-hidden="true">
        <i />
        {price === null ? null : <b style={{ left: `${at(price)}%` }} />}
      </span>
      {where ? <small>{t(`where.${where}`)}</small> : null}
    </div>
  );
}
