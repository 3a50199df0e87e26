import type { Instalment, Loan, LoanTransaction } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { roundUp } from '../chain/axis';
import { type Point, promised, real, steps } from './curve';

const WIDTH = 720;
const HEIGHT = 170;
const LEFT = 62;
const FOOT = 22;

/** The principal over time, as promised and as it was; the tables below have the same facts. */
export function BalanceChart(props: {
  loan: Loan;
  schedule: Instalment[];
  transactions: LoanTransaction[];
  /** The schedule as it would be after an act. */
  after?: Instalment[];
}) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const { loan } = props;
  const plan = promised(loan.drawn_on, loan.principal, props.schedule);
  const was = real(props.transactions, loan.day_end);
  const next = props.after ? promised(loan.drawn_on, loan.principal, props.after) : [];
  const all = [...plan, ...was, ...next];
  const dates = all.map((p) => Date.parse(p.date)).filter(Number.isFinite);
  if (!loan.drawn_on || dates.length < 2) return null;
  const [from, to] = [Math.min(...dates), Math.max(...dates, Date.parse(loan.day_end))];
  const top = roundUp(Math.max(...all.map((p) => p.fen), 1));
  const x = (date: string) =>
    LEFT + ((Date.parse(date) - from) / Math.max(to - from, 1)) * (WIDTH - LEFT - 8);
  const y = (fen: number) => 8 + (1 - fen / top) * (HEIGHT - 8);
  const last = was.at(-1);
  const line = (points: Point[]) => steps(points, x, y);
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  return (
    <figure className="fw-chart balance-chart">
      <figcaption>
        <ul className="fw-legend">
          <li>
            <i style={{ background: '#a9a48f', height: 3 }} /> {t('promised')}
          </li>
          <li>
            <i style={{ background: '#2f6b3c', height: 3 }} /> {t('real')}
          </li>
          {props.after ? (
            <li>
              <i style={{ background: '#b3541e', height: 3 }} /> {t('would_be')}
            </li>
          ) : null}
        </ul>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + FOOT}`}
        role="img"
        aria-label={t('balance_label', {
          from: f.date(loan.drawn_on),
          principal: f.yuan0(loan.principal),
          today: f.date(loan.day_end),
          outstanding: f.yuan0(last?.fen ?? 0),
        })}
      >
        {[top, top / 2, 0].map((v) => (
          <g key={v}>
            <line x1={LEFT} x2={WIDTH} y1={y(v)} y2={y(v)} stroke="var(--fw-line)" />
            <text x={LEFT - 6} y={y(v) + 4} fontSize="11" textAnchor="end">
              {f.yuanShort(v)}
            </text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT + 16} fontSize="11">
          {f.date(day(from))}
        </text>
        <text x={WIDTH - 8} y={HEIGHT + 16} fontSize="11" textAnchor="end">
          {f.date(day(to))}
        </text>
        <line
          x1={x(loan.day_end)}
          x2={x(loan.day_end)}
          y1="4"
          y2={HEIGHT}
          stroke="#8d8f80"
          strokeDasharray="3 3"
        />
        <path d={line(plan)} fill="none" stroke="#a9a48f" strokeWidth="2" />
        {next.length ? (
          <path d={line(next)} fill="none" stroke="#b3541e" strokeWidth="2" strokeDasharray="6 3" />
        ) : null}
        <path d={line(was)} fill="none" stroke="#2f6b3c" strokeWidth="2.5" />
        {last ? <circle cx={x(last.date)} cy={y(last.fen)} r="4" fill="#2f6b3c" /> : null}
      </svg>
    </figure>
  );
}
