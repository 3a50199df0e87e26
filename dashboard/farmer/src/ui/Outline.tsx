import type { Rings } from '@furrow/shared/api/types';
import { boundsOfPolygons } from '@furrow/shared/map/geometry';

/** The shape of a plot as a small picture, north up, sides in proportion. */
export function Outline(props: { polygon: Rings; size?: number; label?: string }) {
  const { polygon, size = 56 } = props;
  const box = boundsOfPolygons([polygon]);
  if (!box) return null;
  const [w, s, e, n] = box;
  const flat = Math.cos((((s + n) / 2) * Math.PI) / 180);
  const width = Math.max((e - w) * flat, 1e-9);
  const height = Math.max(n - s, 1e-9);
  const scale = (size - 8) / Math.max(width, height);
  const x = (lon: number) => (size - width * scale) / 2 + (lon - w) * flat * scale;
  const y = (lat: number) => (size - height * scale) / 2 + (n - lat) * scale;
  const d = polygon
    .map(
      (ring) =>
        `M${ring.map(([a = 0, b = 0]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join('L')}Z`,
    )
    .join('');
  const picture = (
    <svg
      className="f-outline"
      width={size}
      height={size}
      viewBox={`0 0 ${size} ${size}`}
      aria-hidden="true"
    >
      <path d={d} fillRule="evenodd" />
    </svg>
  );
  return props.label ? (
    <span role="img" aria-label={props.label}>
      {picture}
    </span>
  ) : (
    picture
  );
}
