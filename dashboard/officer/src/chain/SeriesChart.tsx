import type { TradeMonth } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { roundUp } from './axis';
import './texts';

const WIDTH = 720;
const HEIGHT = 190;
const LEFT = 62;
const FOOT = 20;

const colors = { verified: '#2f6b3c', sales: '#a9c3a4', purchases: '#b3541e' };

/**
 * Sales of each month as bars, the proven part dark, and purchases as a line; months that
 * are not whole are pale. The same stands in a table.
 */
export function SeriesChart(props: { series: TradeMonth[] }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const { series } = props;
  const [first, last] = [series[0], series.at(-1)];
  if (!first || !last) return <Empty text={t('no_series')} />;
  const top = roundUp(Math.max(...series.map((m) => Math.max(m.sales, m.purchases)), 1));
  const low = Math.min(...series.map((m) => Math.min(m.sales, m.purchases)), 0);
  const bottom = low < 0 ? -roundUp(-low) : 0;
  const step = (WIDTH - LEFT) / series.length;
  const y = (v: number) => 6 + ((top - v) / (top - bottom)) * (HEIGHT - 6);
  const x = (i: number) => LEFT + (i + 0.5) * step;
  const every = Math.ceil(series.length / 12);
  const sum = (of: (m: TradeMonth) => number) => series.reduce((a, m) => a + of(m), 0);
  const said = {
    from: first.month,
    to: last.month,
    sales: f.yuan0(sum((m) => m.sales)),
    purchases: f.yuan0(sum((m) => m.purchases)),
  };
  return (
    <figure className="fw-chart series">
      <figcaption>
        <ul className="fw-legend">
          <li>
            <i style={{ background: colors.verified }} /> {t('verified')}
          </li>
          <li>
            <i style={{ background: colors.sales }} /> {t('unverified')}
          </li>
          <li>
            <i style={{ background: colors.purchases, height: 3 }} /> {t('purchases')}
          </li>
        </ul>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + FOOT}`}
        role="img"
        aria-label={t('series_label', said)}
      >
        {[top, top / 2, 0, ...(bottom < 0 ? [bottom] : [])].map((v) => (
          <g key={v}>
            <line x1={LEFT} x2={WIDTH} y1={y(v)} y2={y(v)} stroke="var(--fw-line)" />
            <text x={LEFT - 6} y={y(v) + 4} fontSize="11" textAnchor="end">
              {f.yuanShort(v)}
            </text>
          </g>
        ))}
        {series.map((m, i) => {
          const verified = Math.max(0, Math.min(m.verified, m.sales));
          const wide = step * 0.66;
          const left = x(i) - wide / 2;
          return (
            <g key={m.month} opacity={m.partial ? 0.55 : 1}>
              <title>
                {`${m.month}${m.partial ? ` (${t('partial')})` : ''}: ${t('sales')} ${f.yuan0(m.sales)}, ${t('verified')} ${f.yuan0(m.verified)}, ${t('purchases')} ${f.yuan0(m.purchases)}`}
              </title>
              <rect x={x(i) - step / 2} y="0" width={step} height={HEIGHT} fill="transparent" />
              <rect
                x={left}
                y={y(Math.max(m.sales, 0))}
                width={wide}
                height={Math.abs(y(0) - y(m.sales))}
                fill={colors.sales}
              />
              <rect
                x={left}
                y={y(verified)}
                width={wide}
                height={y(0) - y(verified)}
                fill={colors.verified}
              />
              {i % every === 0 ? (
                <text x={x(i)} y={HEIGHT + 15} fontSize="11" textAnchor="middle">
                  {every > 1 || series.length > 8 ? m.month.slice(2) : m.month}
                </text>
              ) : null}
            </g>
          );
        })}
        <polyline
          points={series.map((m, i) => `${x(i)},${y(m.purchases)}`).join(' ')}
          fill="none"
          stroke={colors.purchases}
          strokeWidth="2"
          pointerEvents="none"
        />
      </svg>
      <details>
        <summary>{t('shared:chart.table')}</summary>
        <Scroll label={t('series')}>
          <table className="fw-table">
            <thead>
              <tr>
                <th scope="col">{t('month')}</th>
                <th scope="col" className="fw-num">
                  {t('sales')}
                </th>
                <th scope="col" className="fw-num">
                  {t('verified')}
                </th>
                <th scope="col" className="fw-num">
                  {t('purchases')}
                </th>
                <th scope="col" className="fw-num">
                  {t('invoices')}
                </th>
                <th scope="col" className="fw-num">
                  {t('void')}
                </th>
              </tr>
            </thead>
            <tbody>
              {[...series].reverse().map((m) => (
                <tr key={m.month}>
                  <th scope="row">
                    {m.month} {m.partial ? <small>{t('partial')}</small> : null}
                  </th>
                  <td className="fw-num">{f.yuan(m.sales)}</td>
                  <td className="fw-num">{f.yuan(m.verified)}</td>
                  <td className="fw-num">{f.yuan(m.purchases)}</td>
                  <td className="fw-num">{f.integer(m.invoices)}</td>
                  <td className="fw-num">{f.integer(m.void)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </figure>
  );
}
