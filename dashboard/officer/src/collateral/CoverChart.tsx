import type { CoverDay, CoverTerms } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { curve, top } from './curve';
import '../ledger/book.css';

const W = 720;
const H = 220;
const LEFT = 52;
const RIGHT = 16;
const BASE = H - 26;
const HEAD = 14;

/** The cover by day, with the level at which the bank calls and the one that cures. */
export function CoverChart({ days, terms }: { days: CoverDay[]; terms: CoverTerms }) {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const lines = curve(days);
  const last = lines.at(-1)?.at(-1);
  if (!last) return <Empty text={t('no_days')} />;
  const levels = [
    { name: t('call_level'), bp: terms.call_bp, colour: 'var(--fw-bad)' },
    { name: t('cure_level'), bp: terms.cure_bp, colour: 'var(--fw-wheat)' },
  ].filter((l) => l.bp > 0);
  const high = top(
    lines,
    levels.map((l) => l.bp),
  );
  const x = (at: number) => LEFT + at * (W - LEFT - RIGHT);
  const y = (bp: number) => BASE - (Math.min(bp, high) / high) * (BASE - HEAD);
  const percent = (bp: number) => f.percent(bp / 10_000);
  return (
    <>
      <svg
        className="cover-chart"
        viewBox={`0 0 ${W} ${H}`}
        role="img"
        aria-label={t('chart', { share: percent(last.bp), day: f.date(days.at(-1)?.date) })}
      >
        {[0, high / 2, high].map((bp) => (
          <g key={bp}>
            <line x1={LEFT} x2={W - RIGHT} y1={y(bp)} y2={y(bp)} stroke="var(--fw-line)" />
            <text x={LEFT - 6} y={y(bp) + 4} textAnchor="end">
              {percent(bp)}
            </text>
          </g>
        ))}
        {levels.map((l) => (
          <line
            key={l.name}
            x1={LEFT}
            x2={W - RIGHT}
            y1={y(l.bp)}
            y2={y(l.bp)}
            stroke={l.colour}
            strokeDasharray="6 4"
            strokeWidth="1.5"
          />
        ))}
        {lines.map((points) => (
          <polyline
            key={points[0]?.at}
            points={points.map((p) => `${x(p.at)},${y(p.bp)}`).join(' ')}
            fill="none"
            stroke="var(--fw-field)"
            strokeWidth="2"
          />
        ))}
        <circle cx={x(last.at)} cy={y(last.bp)} r="4" fill="var(--fw-field)" />
        <text x={LEFT} y={H - 8}>
          {f.date(days[0]?.date)}
        </text>
        <text x={W - RIGHT} y={H - 8} textAnchor="end">
          {f.date(days.at(-1)?.date)}
        </text>
      </svg>
      <ul className="book-legend">
        {[{ name: t('cover'), bp: last.bp, colour: 'var(--fw-field)' }, ...levels].map((l) => (
          <li key={l.name}>
            <i aria-hidden="true" style={{ background: l.colour }} />
            {l.name} {percent(l.bp)}
          </li>
        ))}
      </ul>
    </>
  );
}
