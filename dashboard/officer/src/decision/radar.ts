import type { Score } from '@furrow/shared/api/types';

/** The five sides from which a firm is looked at, in the order of the picture. */
export const DIMENSIONS = ['owner', 'firm', 'industry', 'enhancement', 'scene'] as const;

/** The rim of the picture and its centre, as probabilities of default. */
export const RIM = 0.005;
export const CENTRE = 0.5;
/** The rings between them. */
export const RINGS = [0.2, 0.05, 0.01];

const odds = (p: number) => Math.log((1 - p) / p);

/**
 * How far from the centre a probability of default stands, 0 to 1, by its log odds:
 * scores of models that count points otherwise are comparable only so.
 */
export function safety(pd: number): number {
  const p = Math.min(Math.max(pd, RIM), CENTRE);
  return (odds(p) - odds(CENTRE)) / (odds(RIM) - odds(CENTRE));
}

/** The score of each dimension; when several models tell of one, the policy's first. */
export function byDimension(scores: Score[]) {
  return DIMENSIONS.map((dimension) => ({
    dimension,
    score: scores.find((s) => s.dimension === dimension),
  }));
}

/** A point of the picture: the first axis points up, the others follow clockwise. */
export function spoke(i: number, of: number, radius: number): [x: number, y: number] {
  const angle = (2 * Math.PI * i) / of - Math.PI / 2;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

export const path = (points: [number, number][]) =>
  points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');

/** The same as the closed outline of an SVG path. */
export const outline = (points: [number, number][]) =>
  `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}Z`;
