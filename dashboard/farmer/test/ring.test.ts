import { describe, expect, test } from 'vitest';
import {
  areaM2,
  type Corner,
  cornersOf,
  cornerText,
  knot,
  middles,
  parseCorners,
  perimeterM,
  polygon,
} from '../src/draw/ring';

// 0.001° by 0.001° near 116.4 E 39.9 N; the server's geodesic area of it is 9495.2598 m².
const square: Corner[] = [
  [116.4, 39.9],
  [116.401, 39.9],
  [116.401, 39.901],
  [116.4, 39.901],
];

describe('figures', () => {
  test('area and perimeter agree with the ellipsoid of the server', () => {
    const lat = 111_035.6; // m of one degree of latitude at 39.9°
    const lon = 85_516.1; // m of one degree of longitude at 39.9°
    expect(Math.abs(areaM2(square) / 9495.2598 - 1)).toBeLessThan(1e-6);
    expect(perimeterM(square)).toBeCloseTo((2 * (lat + lon)) / 1000, 1);
    expect(perimeterM(square, false)).toBeCloseTo((lat + 2 * lon) / 1000, 1);
  });

  test('area does not care for direction or start', () => {
    const turned = [...square.slice(2), ...square.slice(0, 2)];
    expect(areaM2([...square].reverse())).toBeCloseTo(areaM2(square), 1);
    expect(areaM2(turned)).toBeCloseTo(areaM2(square), 1);
  });

  test('fewer than three corners have no area', () => {
    expect(areaM2([])).toBe(0);
    expect(areaM2(square.slice(0, 2))).toBe(0);
    expect(perimeterM([])).toBe(0);
  });
});

describe('knot', () => {
  const bow: Corner[] = [square[0], square[2], square[1], square[3]] as Corner[];
  test('a plain boundary has none', () => expect(knot(square)).toBeNull());
  test('a bow tie names its two sides', () => expect(knot(bow)).toEqual([0, 2]));
  test('the closing side counts only when closed', () => {
    const hook: Corner[] = [
      [0, 0],
      [2, 0],
      [2, 2],
      [1, -1],
    ];
    expect(knot(hook)).toEqual([0, 2]);
    const open: Corner[] = [
      [0, 0],
      [4, 0],
      [4, 1],
      [1, 1],
      [1, 3],
      [2, 3],
      [2, 0.5],
    ];
    expect(knot(open.slice(0, 6), false)).toBeNull();
    expect(knot(open, false)).toEqual([2, 5]);
  });
  test('a boundary that touches itself is knotted', () => {
    const pinch: Corner[] = [
      [0, 0],
      [2, 0],
      [1, 1],
      [2, 2],
      [0, 2],
      [1, 1],
    ];
    expect(knot(pinch)).not.toBeNull();
  });
});

describe('polygon', () => {
  test('is closed and runs counter-clockwise whatever way it was drawn', () => {
    for (const corners of [square, [...square].reverse()]) {
      const [ring = []] = polygon(corners);
      expect(ring).toHaveLength(5);
      expect(ring[0]).toEqual(ring[4]);
      const twice = ring
        .slice(1)
        .map((b, i) => (ring[i]?.[0] ?? 0) * b[1] - b[0] * (ring[i]?.[1] ?? 0))
        .reduce((a, b) => a + b, 0);
      expect(twice).toBeGreaterThan(0);
    }
    expect(polygon([])).toEqual([[]]);
  });

  test('middles lie on every side, the closing one only when closed', () => {
    expect(middles(square, true)).toHaveLength(4);
    expect(middles(square, false)).toHaveLength(3);
    expect(middles(square, true)[0]).toEqual([116.4005, 39.9]);
  });
});

describe('corners as text', () => {
  test('come back as they went', () => {
    const { corners, wrong } = parseCorners(cornerText(square));
    expect(wrong).toEqual([]);
    expect(corners).toEqual(square);
  });
  test('full-width signs, other separators and a repeated last corner are taken', () => {
    const text = '１１６．４，39.9\n116.401\t39.9\n\n116.401; 39.901\n116.4, 39.9';
    expect(parseCorners(text).corners).toEqual(square.slice(0, 3));
  });
  test('wrong lines are named', () => {
    expect(parseCorners('116.4, 39.9\nhere\n200, 1\n1').wrong).toEqual([2, 3, 4]);
  });
});

test('the corners of a polygon are those of its outer ring, each once', () => {
  const outer = [
    [1, 2],
    [3, 2],
    [3, 4],
    [1, 2],
  ];
  expect(cornersOf([outer, [[9, 9]]])).toEqual([
    [1, 2],
    [3, 2],
    [3, 4],
  ]);
  expect(cornersOf([])).toEqual([]);
});
