import type { CSSProperties } from 'react';

/** Colours that stay apart beside each other, also without hue. */
export const colours = [
  '#2f5d3a',
  '#c8962e',
  '#2f5f87',
  '#a35a3a',
  '#6b7d52',
  '#8a6fa8',
  '#8d9488',
];

export interface BarPart {
  key: string;
  name: string;
  value: number;
  text: string;
}

/** Parts of a whole beside each other, each named with its amount below. */
export function StackedBar({ label, parts }: { label: string; parts: BarPart[] }) {
  const all = parts.reduce((sum, p) => sum + p.value, 0);
  const style = (i: number) => ({ '--part': colours[i % colours.length] }) as CSSProperties;
  return (
    <figure style={{ margin: 0 }} aria-label={label}>
      <div className="book-bar" aria-hidden="true">
        {parts.map((p, i) =>
          p.value > 0 ? (
            <i key={p.key} style={{ ...style(i), width: `${(100 * p.value) / (all || 1)}%` }} />
          ) : null,
        )}
      </div>
      <ul className="book-legend">
        {parts.map((p, i) => (
          <li key={p.key}>
            <i aria-hidden="true" style={style(i)} />
            {p.name} <b className="fw-num">{p.text}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** How much of a bound is used; what is above it is red. */
export function UsedBar({ share }: { share: number }) {
  const colour = share > 1 ? 'var(--fw-bad)' : share > 0.8 ? 'var(--fw-wheat)' : 'var(--fw-field)';
  return (
    <div className="book-bar book-bar-thin" aria-hidden="true">
      <i
        style={
          { '--part': colour, width: `${100 * Math.min(1, Math.max(0, share))}%` } as CSSProperties
        }
      />
    </div>
  );
}
