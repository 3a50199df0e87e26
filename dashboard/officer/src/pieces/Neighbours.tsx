import type { NodeView, Link as Trade } from '@furrow/shared/api/types';
import { Empty } from '@furrow/shared/ui/states';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { labels, place } from './neighbours';

// Half the picture a ring takes, wider than high because names run sideways.
const WIDTH = 165;
const HEIGHT = 118;
const LETTERS = 11;

const colors = { self: '#c8962e', anchor: '#2f5f87', partner: '#2f6b3c', link: '#8f8a73' };

/** The trade around a firm as a picture; the table under it has the same links. */
export function Neighbours(props: { center: string; nodes: NodeView[]; links: Trade[] }) {
  const { t } = useTranslation('firms');
  const { center, nodes, links } = props;
  const placed = useMemo(() => place(center, nodes, links), [center, nodes, links]);
  const names = useMemo(() => labels(placed, WIDTH, HEIGHT, LETTERS), [placed]);
  const at = new Map(placed.map((p) => [p.node.id, p]));
  const top = Math.max(...links.map((l) => l.invoiced), 1);
  const self = placed[0];
  if (!self || placed.length < 2) return <Empty text={t('no_trade')} />;
  return (
    <figure className="graph" aria-label={t('graph_label', { count: placed.length })}>
      <svg viewBox="-400 -260 800 520">
        {[1, 2].map((r) => (
          <ellipse
            key={r}
            rx={r * WIDTH}
            ry={r * HEIGHT}
            fill="none"
            stroke="var(--fw-line)"
            strokeDasharray="2 5"
          />
        ))}
        {links.map((l) => {
          const a = at.get(l.seller_id);
          const b = at.get(l.buyer_id);
          if (!a || !b) return null;
          return (
            <line
              key={`${l.seller_id}>${l.buyer_id}`}
              x1={a.x * WIDTH}
              y1={a.y * HEIGHT}
              x2={b.x * WIDTH}
              y2={b.y * HEIGHT}
              stroke={colors.link}
              strokeOpacity="0.5"
              strokeWidth={0.7 + 5 * Math.sqrt(l.invoiced / top)}
            />
          );
        })}
        {placed.map((p) => (
          <Link key={p.node.id} to={`/firms/${encodeURIComponent(p.node.id)}`}>
            <circle
              cx={p.x * WIDTH}
              cy={p.y * HEIGHT}
              r={p.hop === 0 ? 11 : p.node.anchor ? 9 : p.hop === 1 ? 6.5 : 4.5}
              fill={p.hop === 0 ? colors.self : p.node.anchor ? colors.anchor : colors.partner}
              stroke="#fff"
              strokeWidth="1.5"
            />
            <title>{p.node.name}</title>
          </Link>
        ))}
        <g className="graph-names">
          <text y="30" textAnchor="middle" fontSize="14" fontWeight="650">
            {self.node.name}
          </text>
          {names.map((l) => (
            <text key={l.id} x={l.x} y={l.y} textAnchor={l.side} fontSize="12">
              {l.text}
            </text>
          ))}
        </g>
      </svg>
      <figcaption>
        <ul className="fw-legend">
          <li>
            <i className="round" style={{ background: colors.self }} /> {t('this_firm')}
          </li>
          <li>
            <i className="round" style={{ background: colors.anchor }} /> {t('anchor')}
          </li>
          <li>
            <i className="round" style={{ background: colors.partner }} /> {t('partner')}
          </li>
          <li>
            <i style={{ background: colors.link, height: 4 }} /> {t('thick')}
          </li>
        </ul>
      </figcaption>
    </figure>
  );
}
