import type { Danger, Hit, Sme } from '@furrow/shared/api/types';
import { describe, expect, test } from 'vitest';
import { roundUp } from '../src/chain/axis';
import { firmsOf, namesOf, partOf } from '../src/chain/shock';
import { layers } from '../src/chain/tiers';

const firm = (id: string, tier: number, to: Record<string, number>): Sme => ({
  firm_id: id,
  name: `firm ${id}`,
  uscc: '',
  tier,
  amount: Object.values(to).reduce((a, b) => a + b, 0),
  links: Object.entries(to).map(([firm_id, amount]) => ({
    firm_id,
    name: firm_id,
    amount,
    kinds: ['invoices'],
    documents: 1,
    months: 1,
    of_buyer: 0,
    of_seller: 0,
  })),
  months: 1,
  confidence: 0.5,
  reasons: [],
  mounts: [],
});
const anchor = { id: 'A', name: 'anchor' };

describe('the picture of tiers', () => {
  const firms = [
    firm('a', 1, { A: 600 }),
    firm('b', 1, { A: 300 }),
    firm('c', 1, { A: 100 }),
    firm('x', 2, { a: 50, b: 30 }),
    firm('y', 2, { c: 40 }),
  ];
  const ids = (l: ReturnType<typeof layers>) => l.bars.map((b) => `${b.tier}${b.id}`).sort();

  test('has the largest of each tier, and nobody whose way is not drawn', () => {
    expect(ids(layers(anchor, firms))).toEqual(['0A', '1a', '1b', '1c', '2x', '2y']);
    expect(ids(layers(anchor, firms, 2))).toEqual(['0A', '1a', '1b', '2x']);
  });

  test('draws trade as wide as it is large, inside the bars it joins', () => {
    const { bars, bands } = layers(anchor, firms);
    const at = new Map(bars.map((b) => [b.id, b]));
    const wide = (from: string) => bands.find((b) => b.from === from)?.width ?? 0;
    expect(wide('a') / wide('b')).toBeCloseTo(2);
    for (const b of bands)
      for (const [id, y] of [
        [b.from, b.y1],
        [b.to, b.y2],
      ] as const) {
        const bar = at.get(id);
        expect(bar).toBeDefined();
        if (!bar) continue;
        expect(y).toBeGreaterThanOrEqual(bar.y - 1e-6);
        expect(y).toBeLessThanOrEqual(bar.y + bar.height + 1e-6);
      }
  });

  test('names of a column never cover each other, and all fits the picture', () => {
    const many = Array.from({ length: 40 }, (_, i) => firm(`f${i}`, 1, { A: 1000 - i }));
    const { bars, height } = layers(anchor, many, 30);
    const middles = bars
      .filter((b) => b.tier === 1)
      .map((b) => b.y + b.height / 2)
      .sort((a, b) => a - b);
    expect(middles).toHaveLength(30);
    middles.forEach((m, i) => {
      if (i) expect(m - Number(middles[i - 1])).toBeGreaterThan(16.9);
    });
    for (const b of bars) expect(b.y + b.height).toBeLessThanOrEqual(height + 1e-6);
  });

  test('is only the anchor when nobody trades with it', () => {
    expect(layers(anchor, [])).toMatchObject({ tiers: 0, bands: [] });
    expect(layers(anchor, [firm('x', 2, { gone: 5 })]).tiers).toBe(0);
  });
});

describe('a shock', () => {
  const hit = (firm_id: string, name: string, path: string[], path_names: string[]): Hit => ({
    firm_id,
    name,
    path_names,
    amount: 0,
    loss: 1,
    downstream: 0,
    upstream: 1,
    cause: { kind: 'demand', from: path[0], path },
  });

  test('names the firms of all paths', () => {
    const names = namesOf([hit('c', 'mill', ['a', 'b', 'c'], ['bank', 'farm', 'mill'])]);
    expect([...names]).toEqual([
      ['c', 'mill'],
      ['a', 'bank'],
      ['b', 'farm'],
    ]);
  });

  test('raises one alert a firm, however many loans it has', () => {
    const loan = (loan_id: string, firm_id: string) => ({ loan_id, firm_id }) as Danger;
    expect(firmsOf([loan('1', 'a'), loan('2', 'a'), loan('3', 'b')])).toBe(2);
    expect(firmsOf([])).toBe(0);
  });

  test('takes its part from the address, and never one that cannot be', () => {
    expect(['', '0.5', '0.52', '7', '-1', '0', 'x'].map(partOf)).toEqual([
      1, 0.5, 0.5, 1, 0.05, 0.05, 1,
    ]);
  });
});

test('an axis ends on a round number that nothing passes', () => {
  expect([0, 1, 3, 99, 100, 101, 450_000].map(roundUp)).toEqual([1, 1, 5, 100, 100, 200, 500_000]);
});
