import type { Sme } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Empty } from '@furrow/shared/ui/states';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Side } from './data';
import { firmPath } from './Proofs';
import { layers } from './tiers';
import './texts';

const WIDTH = 960;
const BAR = 12;
const NAME = 190;
const HEAD = 24;
const LETTERS = 13;

const colors = ['#2f5f87', '#2f6b3c', '#7d9a78', '#a98a4c', '#b06d3c', '#8f6a7e', '#6f7d8f'];
const colorOf = (tier: number) => colors[Math.min(tier, colors.length - 1)] ?? '#8f8a73';

/**
 * The largest firms of each tier with the trade that leads to the anchor: suppliers come
 * from the left, dealers go to the right.
 */
export function TierPicture(props: {
  anchor: { id: string; name: string };
  firms: Sme[];
  side: Side;
}) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const { anchor, firms, side } = props;
  const { bars, bands, tiers, height } = useMemo(() => layers(anchor, firms), [anchor, firms]);
  if (tiers === 0) return <Empty text={t('no_firms')} />;
  const step = (WIDTH - NAME - BAR) / tiers;
  // Names stand on the side away from the anchor.
  const left = (tier: number) =>
    side === 'suppliers' ? NAME + (tiers - tier) * step : tier * step;
  const at = new Map(bars.map((b) => [b.id, b]));
  const cut = bars.length - 1 < firms.length;
  return (
    <figure className="graph tiers" aria-label={t('picture_label', { count: bars.length })}>
      <svg viewBox={`0 0 ${WIDTH} ${height + HEAD + 8}`}>
        {Array.from({ length: tiers + 1 }, (_, tier) => (
          <text
            key={tier}
            x={left(tier) + (side === 'suppliers' ? BAR : 0)}
            y="13"
            fontSize="12"
            fontWeight="600"
            textAnchor={side === 'suppliers' ? 'end' : 'start'}
          >
            {tier === 0 ? t('anchor') : t('tier_n', { n: tier })}
          </text>
        ))}
        <g transform={`translate(0 ${HEAD})`}>
          {bands.map((b) => {
            const [from, to] = [at.get(b.from), at.get(b.to)];
            if (!from || !to) return null;
            const x1 = side === 'suppliers' ? left(from.tier) + BAR : left(from.tier);
            const x2 = side === 'suppliers' ? left(to.tier) : left(to.tier) + BAR;
            const mid = (x1 + x2) / 2;
            return (
              <path
                key={`${b.from}>${b.to}`}
                d={`M${x1} ${b.y1}C${mid} ${b.y1} ${mid} ${b.y2} ${x2} ${b.y2}`}
                fill="none"
                stroke={colorOf(from.tier)}
                strokeOpacity="0.32"
                strokeWidth={b.width}
              >
                <title>{`${from.name} – ${to.name}: ${f.yuan0(b.amount)}`}</title>
              </path>
            );
          })}
          {bars.map((b) => (
            <Link key={b.id} to={firmPath(b.id)}>
              <title>{`${b.name} ${f.yuan0(b.amount)}`}</title>
              <rect
                x={left(b.tier)}
                y={b.y}
                width={BAR}
                height={b.height}
                rx="2"
                fill={colorOf(b.tier)}
              />
              <text
                className="tier-name"
                x={side === 'suppliers' ? left(b.tier) - 6 : left(b.tier) + BAR + 6}
                y={b.y + b.height / 2 + 4}
                fontSize="12"
                textAnchor={side === 'suppliers' ? 'end' : 'start'}
              >
                {b.name.length > LETTERS ? `${b.name.slice(0, LETTERS)}…` : b.name}
              </text>
            </Link>
          ))}
        </g>
      </svg>
      <figcaption className="fw-muted">
        {t('picture_width')} {cut ? t('picture_part') : null}
      </figcaption>
    </figure>
  );
}
