/**
 * Plane facts about a plot boundary while it is being drawn: area, perimeter,
 * knots. The server measures again on the ellipsoid before anything is saved;
 * these figures are for the thumb that is still on the map.
 */

/** A corner: WGS84 longitude, latitude in degrees. */
export type Corner = readonly [lon: number, lat: number];

const SEMI_MAJOR = 6378137;
const ECC2 = 0.0066943799901413165;
const RAD = Math.PI / 180;

/**
 * Corners in metres on the sinusoidal projection of the WGS84 ellipsoid about the
 * first corner. It keeps areas; over a field (a few km) distances are true to 1e-5.
 */
function metres(corners: readonly Corner[]): [number, number][] {
  const first = corners[0];
  if (!first) return [];
  const s0 = Math.sin(first[1] * RAD);
  const meridian = (SEMI_MAJOR * (1 - ECC2)) / (1 - ECC2 * s0 * s0) ** 1.5;
  return corners.map(([lon, lat]) => {
    const s = Math.sin(lat * RAD);
    const parallel = (SEMI_MAJOR * Math.cos(lat * RAD)) / Math.sqrt(1 - ECC2 * s * s);
    return [parallel * (lon - first[0]) * RAD, meridian * (lat - first[1]) * RAD];
  });
}

/** The sides of a boundary as pairs of neighbours; the closing side only when closed. */
function sides<T>(points: readonly T[], closed: boolean): [T, T][] {
  const all = points.slice(1).map((p, i): [T, T] => [points[i] as T, p]);
  if (closed && points.length > 2) all.push([points.at(-1) as T, points[0] as T]);
  return all;
}

/** Area inside the corners in m²; the boundary closes by itself. */
export function areaM2(corners: readonly Corner[]): number {
  const twice = sides(metres(corners), true).map(([a, b]) => a[0] * b[1] - b[0] * a[1]);
  return Math.abs(twice.reduce((sum, x) => sum + x, 0)) / 2;
}

/** Length of the closed boundary in metres; of the open line when closed is false. */
export function perimeterM(corners: readonly Corner[], closed = true): number {
  return sides(metres(corners), closed)
    .map(([a, b]) => Math.hypot(b[0] - a[0], b[1] - a[1]))
    .reduce((sum, x) => sum + x, 0);
}

function side(a: Corner, b: Corner, c: Corner): number {
  return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

function within(a: Corner, b: Corner, c: Corner): boolean {
  return (
    Math.min(a[0], b[0]) <= c[0] &&
    c[0] <= Math.max(a[0], b[0]) &&
    Math.min(a[1], b[1]) <= c[1] &&
    c[1] <= Math.max(a[1], b[1])
  );
}

function meet(a: Corner, b: Corner, c: Corner, d: Corner): boolean {
  const s1 = side(a, b, c);
  const s2 = side(a, b, d);
  const s3 = side(c, d, a);
  const s4 = side(c, d, b);
  if (s1 !== s2 && s3 !== s4) return true;
  return (
    (s1 === 0 && within(a, b, c)) ||
    (s2 === 0 && within(a, b, d)) ||
    (s3 === 0 && within(c, d, a)) ||
    (s4 === 0 && within(c, d, b))
  );
}

/**
 * The first two sides (by the index of their first corner) that touch although they
 * are not neighbours, or null. The closing side counts only when closed.
 */
export function knot(corners: readonly Corner[], closed = true): [number, number] | null {
  const all = sides(corners, closed);
  for (const [i, [a, b]] of all.entries())
    for (const [j, [c, d]] of all.entries()) {
      const neighbours = j - i < 2 || (closed && i === 0 && j === all.length - 1);
      if (!neighbours && meet(a, b, c, d)) return [i, j];
    }
  return null;
}

/** The middles of the sides, in their order. */
export function middles(corners: readonly Corner[], closed: boolean): Corner[] {
  return sides(corners, closed).map(([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
}

/** GeoJSON polygon coordinates: one ring, counter-clockwise, first corner repeated. */
export function polygon(corners: readonly Corner[]): [number, number][][] {
  const turn = sides(corners, true).map(([a, b]) => (b[0] - a[0]) * (b[1] + a[1]));
  const clockwise = turn.reduce((sum, x) => sum + x, 0) > 0;
  const ring = (clockwise ? [...corners].reverse() : corners).map(([x, y]): [number, number] => [
    x,
    y,
  ]);
  const first = ring[0];
  return [first ? [...ring, [...first]] : ring];
}

/** The corners of a polygon's outer ring, without the repeated first one. */
export function cornersOf(rings: readonly (readonly (readonly number[])[])[]): Corner[] {
  const corners = (rings[0] ?? []).map(([lon = 0, lat = 0]): Corner => [lon, lat]);
  const a = corners[0];
  const z = corners.at(-1);
  if (a && z && corners.length > 1 && a[0] === z[0] && a[1] === z[1]) corners.pop();
  return corners;
}

/**
 * Reads corners typed or pasted as text, one a line: "116.40123, 39.90456".
 * Full-width commas and digits, tabs and semicolons are taken too. A wrong line is
 * given by its number; the closing corner may be repeated.
 */
export function parseCorners(text: string): { corners: Corner[]; wrong: number[] } {
  const corners: Corner[] = [];
  const wrong: number[] = [];
  text
    .normalize('NFKC')
    .split(/\r?\n/)
    .forEach((line, i) => {
      const t = line.trim();
      if (!t) return;
      const parts = t
        .split(/[\s,;、]+/)
        .filter(Boolean)
        .map(Number);
      const [lon, lat] = parts;
      if (
        parts.length !== 2 ||
        lon === undefined ||
        lat === undefined ||
        !Number.isFinite(lon) ||
        !Number.isFinite(lat) ||
        Math.abs(lon) > 180 ||
        Math.abs(lat) > 90
      ) {
        wrong.push(i + 1);
        return;
      }
      corners.push([lon, lat]);
    });
  const a = corners[0];
  const z = corners.at(-1);
  if (a && z && corners.length > 1 && a[0] === z[0] && a[1] === z[1]) corners.pop();
  return { corners, wrong };
}

/** Corners as lines of text with seven decimals (about a centimetre). */
export function cornerText(corners: readonly Corner[]): string {
  return corners.map(([lon, lat]) => `${lon.toFixed(7)}, ${lat.toFixed(7)}`).join('\n');
}
