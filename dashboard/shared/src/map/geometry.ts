import type { Position, Rings } from '../api/types';

/** West, south, east, north in degrees. */
export type Bounds = [number, number, number, number];

/** The box around all positions; undefined when there are none. */
export function boundsOf(positions: Iterable<Position>): Bounds | undefined {
  let box: Bounds | undefined;
  for (const [x = 0, y = 0] of positions)
    box = box
      ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)]
      : [x, y, x, y];
  return box;
}

/** The box around polygons, given as rings. */
export function boundsOfPolygons(polygons: Iterable<Rings>): Bounds | undefined {
  const positions: Position[] = [];
  for (const rings of polygons) positions.push(...(rings[0] ?? []));
  return boundsOf(positions);
}

/** A box grown by a share of its size on every side. */
export function grown([w, s, e, n]: Bounds, share: number): Bounds {
  const dx = Math.max(e - w, 1e-4) * share;
  const dy = Math.max(n - s, 1e-4) * share;
  return [w - dx, s - dy, e + dx, n + dy];
}

export interface Area {
  id: string;
  polygon: Rings;
  /** Colour of the outline and, thinned, of the inside. */
  color: string;
  label?: string;
  /** Opacity of the inside, 0..1; 0.25 when absent. */
  fill?: number;
}

export interface Dot {
  id: string;
  at: Position;
  /** #rrggbb */
  color: string;
  /** #rrggbb of a ring around it, for what stands out beside its colour. */
  ring?: string;
  label?: string;
}

/** Areas as GeoJSON for the map's source. */
export function areaCollection(areas: Area[]): GeoJSON.FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: areas.map((a) => ({
      type: 'Feature',
      geometry: { type: 'Polygon', coordinates: a.polygon },
      properties: { id: a.id, color: a.color, label: a.label ?? '', fill: a.fill ?? 0.25 },
    })),
  };
}
