import type { NodeView, Link as Trade } from '@furrow/shared/api/types';
import { Empty } from '@furrow/shared/ui/states';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { place } from './neighbours';

const SCALE = 112;
const MOST_LETTERS = 9;

const short = (name: string) =>
  name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS)}…` : name;

/** The trade around a firm as a picture; the table under it has the same links. */
export function Neighbours(props: { center: string; nodes: NodeView[]; links: Trade[] }) {
  const { t } = useTranslation('firms');
  const { center, nodes, links } = props;
  const placed = useMemo(() => place(center, nodes, links), [center, nodes, links]);
  const at = new Map(placed.map((p) => [p.node.id, p]));
  const top = Math.max(...links.map((l) => l.invoiced), 1);
  if (placed.length < 2) return <Empty text={t('no_trade')} />;
  return (
    <figure className="graph" aria-label={t('graph_label', { count: placed.length })}>
      <svg viewBox="-300 -262 600 524">
        {[1, 2].map((r) => (
          <circle key={r} r={r * SCALE} fill="none" stroke="var(--fw-line)" strokeDasharray="2 5" />
        ))}
        {links.map((l) => {
          const a = at.get(l.seller_id);
          const b = at.get(l.buyer_id);
          if (!a || !b) return null;
          return (
            <line
              key={`${l.seller_id}>${l.buyer_id}`}
              x1={a.x * SCALE}
              y1={a.y * SCALE}
              x2={b.x * SCALE}
              y2={b.y * SCALE}
              stroke="#8f8a73"
              strokeOpacity="0.55"
              strokeWidth={0.7 + 5 * Math.sqrt(l.invoiced / top)}
            />
          );
        })}
        {placed.map((p) => {
          const r = p.hop === 0 ? 11 : p.node.anchor ? 9 : p.hop === 1 ? 6.5 : 4.5;
          const right = p.x >= 0;
          const fill = p.hop === 0 ? '#c8962e' : p.node.anchor ? '#2f5f87' : '#2f6b3c';
          return (
            <Link key={p.node.id} to={`/firms/${encodeURIComponent(p.node.id)}`}>
              <circle
                cx={p.x * SCALE}
                cy={p.y * SCALE}
                r={r}
                fill={fill}
                stroke="#fff"
                strokeWidth="1.5"
              />
              <title>{p.node.name}</title>
              {p.hop < 2 || p.node.anchor ? (
                <text
                  x={p.x * SCALE + (p.hop === 0 ? 0 : right ? r + 4 : -r - 4)}
                  y={p.y * SCALE + (p.hop === 0 ? 26 : 4)}
                  textAnchor={p.hop === 0 ? 'middle' : right ? 'start' : 'end'}
                  fontSize={p.hop === 0 ? 13 : 11}
                  fontWeight={p.hop === 0 || p.node.anchor ? 650 : 400}
                  fill="#1f2a1f"
                  stroke="#fff"
                  strokeWidth="3"
                  paintOrder="stroke"
                >
                  {short(p.node.name)}
                </text>
              ) : null}
            </Link>
          );
        })}
      </svg>
      <figcaption>
        <ul className="fw-legend">
          <li>
            <i className="round" style={{ background: '#c8962e' }} /> {t('this_firm')}
          </li>
          <li>
            <i className="round" style={{ background: '#2f5f87' }} /> {t('anchor')}
          </li>
          <li>
            <i className="round" style={{ background: '#2f6b3c' }} /> {t('partner')}
          </li>
          <li>
            <i style={{ background: '#8f8a73', height: 4 }} /> {t('thick')}
          </li>
        </ul>
      </figcaption>
    </figure>
  );
}
