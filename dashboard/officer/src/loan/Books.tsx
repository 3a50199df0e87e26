import type {
  LoanTransaction,
  OfficerLoanEvent,
  OfficerLoanHappening,
} from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from '../pieces/DataTable';
import { Pill } from '../pieces/Pill';
import { daysBetween, retaken, undone } from './acts';

/** The name of a kind of event. */
export function useKind() {
  const { t } = useTranslation('servicing');
  return (kind: string) => t(`kind.${kind}`, { defaultValue: kind });
}

/** What the events of a loan did, with what each amount was taken for. */
export function Transactions(props: { rows: LoanTransaction[]; events: OfficerLoanHappening[] }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const kind = useKind();
  const again = retaken(props.rows, props.events);
  const money = (name: 'principal' | 'interest' | 'fee' | 'penalty' | 'excess') => ({
    key: name,
    title: t(name),
    number: true,
    cell: (x: LoanTransaction) =>
      x.reversed || !x[name] ? <span className="fw-muted">—</span> : f.yuan(x[name]),
  });
  const columns: Column<LoanTransaction>[] = [
    {
      key: 'date',
      title: t('date'),
      cell: (x) => <span className="nowrap">{f.date(x.date)}</span>,
    },
    {
      key: 'kind',
      title: t('what'),
      cell: (x) => {
        const cause = again.get(x.event);
        return (
          <>
            {x.reversed ? <s>{kind(x.kind)}</s> : kind(x.kind)}
            {x.reversed ? <small className="sub bad">{t('undone')}</small> : null}
            {cause ? (
              <small className="sub">
                {t('retaken', { nr: cause.nr, kind: kind(cause.event.kind) })}
              </small>
            ) : null}
          </>
        );
      },
    },
    {
      key: 'amount',
      title: t('amount'),
      number: true,
      cell: (x) => (x.reversed ? <s>{f.yuan(x.amount)}</s> : f.yuan(x.amount)),
    },
    money('principal'),
    money('interest'),
    money('fee'),
    money('penalty'),
    money('excess'),
    {
      key: 'balance',
      title: t('balance'),
      number: true,
      cell: (x) => (x.reversed ? <span className="fw-muted">—</span> : f.yuan(x.balance)),
    },
  ];
  // The bank's own monthly accruals would bury what people did.
  const rows = props.rows.filter((x) => x.kind !== 'accrue');
  return (
    <DataTable
      label={t('transactions')}
      rows={rows.map((x, nr) => ({ ...x, nr }))}
      columns={columns as Column<LoanTransaction & { nr: number }>[]}
      rowKey={(x) => `${x.nr}`}
      empty={t('no_transactions')}
    />
  );
}

/** What an event asks for beyond its kind and date, in words. */
export function Details(props: { event: OfficerLoanEvent; events?: OfficerLoanHappening[] }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const kind = useKind();
  const { amount, charge, change, target } = props.event;
  const meant = props.events?.find((h) => h.event.id === target);
  const said = [
    amount ? f.yuan(amount) : '',
    charge?.name ?? '',
    charge ? t('said.due_on', { date: f.date(charge.due_on) }) : '',
    charge?.penalty ? t('penalty') : '',
    change?.from ? t('said.from', { date: f.date(change.from) }) : '',
    change?.to ? t('said.to', { date: f.date(change.to) }) : '',
    change?.rate_bp !== undefined && props.event.kind === 'rate_change'
      ? t('said.rate', { rate: f.rate(change.rate_bp * 10_000) })
      : '',
    change?.extra ? t('said.extra', { count: change.extra }) : '',
    change?.grace_principal ? t('said.grace_principal', { count: change.grace_principal }) : '',
    change?.grace_interest ? t('said.grace_interest', { count: change.grace_interest }) : '',
    change?.n ? t('said.rows', { count: change.n }) : '',
    meant ? t('said.of', { nr: meant.nr, kind: kind(meant.event.kind) }) : '',
  ];
  return <>{said.filter(Boolean).join(' · ')}</>;
}

/** Who did what, when and why; the newest first. */
export function Events(props: { rows: OfficerLoanHappening[] }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const kind = useKind();
  const gone = undone(props.rows);
  const rows = props.rows.filter((h) => h.event.kind !== 'accrue').reverse();
  const late = (h: OfficerLoanHappening) =>
    daysBetween(
      h.event.date ?? '',
      new Date(Date.parse(h.at) + 8 * 3_600_000).toISOString().slice(0, 10),
    );
  return (
    <ol className="steps loan-events">
      {rows.map((h) => (
        <li key={h.nr}>
          <b>
            {h.nr}. {kind(h.event.kind)}{' '}
            {gone.has(h.event.id ?? '') ? <Pill tone="bad">{t('undone')}</Pill> : null}
            {late(h) > 0 ? <Pill tone="warn">{t('back_dated', { count: late(h) })}</Pill> : null}
          </b>
          <span>
            {f.date(h.event.date)} · <Details event={h.event} events={props.rows} />
          </span>
          <span className="fw-muted">
            {h.by === 'system' ? t('system') : h.by_name}
            {h.second_name ? ` · ${t('second', { name: h.second_name })}` : ''}
            {' · '}
            <time dateTime={h.at}>{f.time(h.at)}</time>
          </span>
          {h.note ? <q>{h.note}</q> : null}
        </li>
      ))}
    </ol>
  );
}
