import type { Figure, StandingFigures } from '@furrow/shared/api/types';
import { type Formats, useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import './texts';

const order = [
  'dependence',
  'tenure',
  'growth',
  'variation',
  'buyer_hhi',
  'supplier_hhi',
  'payment_days',
  'overdue_days',
  'return_share',
  'returned_count',
  'void_share',
] as const;

const noted = new Set([
  'dependence',
  'variation',
  'growth',
  'buyer_hhi',
  'supplier_hhi',
  'payment_days',
  'overdue_days',
]);

function inUnits(name: (typeof order)[number], v: number, f: Formats, t: TFunction) {
  switch (name) {
    case 'tenure':
      return t('months', { count: v });
    case 'payment_days':
    case 'overdue_days':
      return t('days', { count: v });
    case 'variation':
    case 'buyer_hhi':
    case 'supplier_hhi':
      return f.decimal(v);
    default:
      return f.percent1(v);
  }
}

/** The figures of a standing, each with what it rests on, or why it is not known. */
export function FigureTable(props: { figures: StandingFigures }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  return (
    <Scroll label={t('figures')} className="table-box">
      <table className="fw-table table figure-table">
        <caption className="sr-only">{t('figures')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('figure')}</th>
            <th scope="col" className="fw-num">
              {t('value')}
            </th>
            <th scope="col">{t('rests_on')}</th>
          </tr>
        </thead>
        <tbody>
          {order.map((name) => {
            const x = props.figures[name];
            return (
              <tr key={name} data-figure={name}>
                <th scope="row">
                  {t(`figure_name.${name}`)}
                  {noted.has(name) ? <small>{t(`figure_note.${name}`)}</small> : null}
                </th>
                <td className="fw-num">
                  {x.value === null ? (
                    <span className="fw-muted">{f.decimal(undefined)}</span>
                  ) : (
                    <b>{inUnits(name, x.value, f, t)}</b>
                  )}
                </td>
                <td>
                  <Source figure={x} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function Source(props: { figure: Figure }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const x = props.figure;
  return (
    <>
      {x.reason ? (
        <span className="figure-why">
          {t(`figure_reason.${x.reason}`, { defaultValue: x.reason })}
        </span>
      ) : null}
      {x.documents > 0 ? (
        <small>
          {t('proof_documents', { count: x.documents })} · {t('files', { count: x.uploads })}{' '}
          <span className="nowrap">{t('from_to', { from: f.date(x.from), to: f.date(x.to) })}</span>
        </small>
      ) : null}
    </>
  );
}
