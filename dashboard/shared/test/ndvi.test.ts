import { describe, expect, test } from 'vitest';
import { ndviColumns } from '../src/chart/ndvi';

const day = (n: number) => new Date(Date.UTC(2026, 3, n)).toISOString();
const s = (n: number) => Date.UTC(2026, 3, n) / 1000;
const seen = (n: number, ndvi: number, valid = true) => ({
  date: day(n),
  ndvi,
  valid,
  std_dev: 0,
  coverage: 1,
});
const point = (n: number, ndvi: number, in_gap = false) => ({ date: day(n), ndvi, in_gap });

describe('columns of the curve', () => {
  test('a gap stays empty, also at an observation between grid days', () => {
    const c = ndviColumns({
      observations: [seen(1, 0.2), seen(3, 0.3), seen(6, 0, false)],
      curve: [
        point(1, 0.2),
        point(5, 0.4),
        point(6, 0.5, true),
        point(8, 0.6, true),
        point(9, 0.7),
      ],
    });
    expect(c.x).toEqual([1, 3, 5, 6, 8, 9].map(s));
    expect(c.raw).toEqual([0.2, 0.3, null, null, null, null]);
    expect(c.smooth.map((v) => (v == null ? v : +v.toFixed(3)))).toEqual([
      0.2,
      0.3,
      0.4,
      null,
      null,
      0.7,
    ]);
    expect(c.gaps).toEqual([[s(6), s(8)]]);
  });

  test('the peers are joined between their dates, not over months', () => {
    const peer = (n: number, middle: number) => ({
      date: day(n),
      ndvi: 0.5,
      percentile: 50,
      low: middle - 0.1,
      middle,
      high: middle + 0.1,
    });
    const c = ndviColumns({
      observations: [],
      curve: [point(0, 0.1), point(1, 0.2), point(6, 0.3), point(11, 0.4), point(40, 0.5)],
      growth: { points: [peer(61, 0.8), peer(11, 0.6), peer(1, 0.4)] },
    });
    expect(c.x).toEqual([0, 1, 6, 11, 40, 61].map(s));
    const rounded = (v: (number | null)[]) => v.map((n) => n && +n.toFixed(3));
    expect(rounded(c.peers.middle)).toEqual([null, 0.4, 0.5, 0.6, null, 0.8]);
    expect(rounded(c.peers.low)).toEqual([null, 0.3, 0.4, 0.5, null, 0.7]);
    expect(rounded(c.peers.high)).toEqual([null, 0.5, 0.6, 0.7, null, 0.9]);
  });

  test('nothing seen gives nothing', () => {
    expect(ndviColumns({ observations: null, curve: null })).toEqual({
      x: [],
      raw: [],
      smooth: [],
      peers: { low: [], middle: [], high: [] },
      gaps: [],
    });
  });
});
