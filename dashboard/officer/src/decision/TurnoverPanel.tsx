import type { TradeMonth, Turnover } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { useTranslation } from 'react-i18next';
import { roundUp } from '../chain/axis';
import { Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import './texts';
import './decision.css';

const WIDTH = 720;
const HEIGHT = 180;
const LEFT = 62;
/** Months of the past that are shown before what is to come. */
const PAST = 18;

/** A firm's sales month by month, and those that are expected with their interval. */
export function TurnoverPanel(props: { turnover: Turnover; past: TradeMonth[] }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  const { turnover: o } = props;
  const coming = o.months ?? [];
  if (o.status !== 'known' || coming.length === 0)
    return (
      <Panel title={t('turnover')}>
        <p>
          <Pill tone="warn">{t('no_forecast')}</Pill>{' '}
          {o.reason ? t(`missing_why.${o.reason}`, { defaultValue: o.reason }) : null}
        </p>
      </Panel>
    );
  const first = coming[0]?.month ?? '';
  const past = props.past.filter((m) => m.month < first && !m.partial).slice(-PAST);
  const count = past.length + coming.length;
  const top = roundUp(Math.max(...past.map((m) => m.sales), ...coming.map((m) => m.high), 1));
  const step = (WIDTH - LEFT) / count;
  const x = (i: number) => LEFT + (i + 0.5) * step;
  const y = (v: number) => 6 + (1 - Math.max(v, 0) / top) * (HEIGHT - 6);
  const every = Math.ceil(count / 12);
  const at = (i: number) => x(past.length + i);
  const sum = (of: (m: (typeof coming)[number]) => number) => coming.reduce((n, m) => n + of(m), 0);
  const said = {
    count: coming.length,
    middle: f.yuan0(sum((m) => m.middle)),
  };
  const band = [
    ...coming.map((m, i) => `${at(i)},${y(m.high)}`),
    ...coming.map((m, i) => `${at(i)},${y(m.low)}`).reverse(),
  ].join(' ');
  return (
    <Panel
      title={t('turnover')}
      extra={<span className="fw-muted">{t('method', { name: o.method, count: o.history })}</span>}
    >
      <p className="turnover-lead">{t('turnover_lead', said)}</p>
      <figure className="fw-chart series">
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT + 20}`}
          role="img"
          aria-label={t('turnover_label', said)}
        >
          {[top, top / 2, 0].map((v) => (
            <g key={v}>
              <line x1={LEFT} x2={WIDTH} y1={y(v)} y2={y(v)} stroke="var(--fw-line)" />
              <text x={LEFT - 6} y={y(v) + 4} fontSize="11" textAnchor="end">
                {f.yuanShort(v)}
              </text>
            </g>
          ))}
          {past.map((m, i) => (
            <rect
              key={m.month}
              x={x(i) - step * 0.33}
              y={y(m.sales)}
              width={step * 0.66}
              height={Math.max(0, y(0) - y(m.sales))}
              className="turnover-past"
            >
              <title>{`${m.month}: ${f.yuan0(m.sales)}`}</title>
            </rect>
          ))}
          <polygon points={band} className="turnover-band" />
          <polyline
            points={coming.map((m, i) => `${at(i)},${y(m.middle)}`).join(' ')}
            className="turnover-line"
          />
          {coming.map((m, i) => (
            <circle key={m.month} cx={at(i)} cy={y(m.middle)} r="3" className="turnover-dot">
              <title>{`${m.month}: ${f.yuan0(m.middle)} (${f.yuan0(m.low)} – ${f.yuan0(m.high)})`}</title>
            </circle>
          ))}
          {[...past, ...coming].map((m, i) =>
            i % every === 0 ? (
              <text key={m.month} x={x(i)} y={HEIGHT + 15} fontSize="11" textAnchor="middle">
                {m.month.slice(2)}
              </text>
            ) : null,
          )}
        </svg>
        <figcaption>
          <ul className="fw-legend">
            {past.length ? (
              <li>
                <i className="turnover-past" /> {t('sold')}
              </li>
            ) : null}
            <li>
              <i className="turnover-line" /> {t('expected')}
            </li>
            <li>
              <i className="turnover-band" /> {t('interval_80')}
            </li>
          </ul>
        </figcaption>
        <details>
          <summary>{t('shared:chart.table')}</summary>
          <Scroll label={t('turnover')}>
            <table className="fw-table">
              <thead>
                <tr>
                  <th scope="col">{t('month')}</th>
                  <th scope="col" className="fw-num">
                    {t('low')}
                  </th>
                  <th scope="col" className="fw-num">
                    {t('expected')}
                  </th>
                  <th scope="col" className="fw-num">
                    {t('high')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {coming.map((m) => (
                  <tr key={m.month}>
                    <th scope="row">{m.month}</th>
                    <td className="fw-num">{f.yuan0(m.low)}</td>
                    <td className="fw-num">{f.yuan0(m.middle)}</td>
                    <td className="fw-num">{f.yuan0(m.high)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </details>
      </figure>
    </Panel>
  );
}
