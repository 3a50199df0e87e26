import type { Alert, NodeView, Scene } from '@furrow/shared/api/types';
import { describe, expect, test } from 'vitest';
import { placed } from '../src/frame/live';
import { labels, place } from '../src/pieces/neighbours';
import { days, layerOf, pictureOf } from '../src/pieces/useImagery';

const alert = (id: string, more: Partial<Alert> = {}): Alert => ({
  id,
  kind: 'flood',
  severity: 'warning',
  subject_kind: 'plot',
  subject_id: 'p',
  label: '',
  evidence: {},
  count: 1,
  event_at: '',
  opened_at: '',
  updated_at: '',
  ...more,
});

describe('an alert that arrives live', () => {
  const pages = [
    { items: [alert('b'), alert('a')], next: 'x' },
    { items: [alert('0')], next: '' },
  ];
  const ids = (list: typeof pages) => list.map((p) => p.items.map((a) => a.id).join(''));

  test('stands on top when it is new', () => {
    expect(ids(placed(pages, alert('c'), { open: true }) as typeof pages)).toEqual(['cba', '0']);
  });

  test('replaces what it was, in its place', () => {
    const next = placed(pages, alert('a', { count: 7 }), { open: true });
    expect(ids(next as typeof pages)).toEqual(['ba', '0']);
    expect(next[0]?.items?.[1]?.count).toBe(7);
  });

  test('leaves the list of open ones once it is closed', () => {
    const closed = alert('a', { closed_at: '2026-05-01T00:00:00Z' });
    expect(ids(placed(pages, closed, { open: true }) as typeof pages)).toEqual(['b', '0']);
    expect(ids(placed(pages, closed, {}) as typeof pages)).toEqual(['ba', '0']);
  });
});

describe('the picture of trade', () => {
  const node = (id: string): NodeView => ({
    id,
    name: `${id} trading company`,
    anchor: false,
    tier: 1,
  });
  const link = (seller_id: string, buyer_id: string, invoiced: number) => ({
    seller_id,
    buyer_id,
    invoiced,
  });

  test('places each firm once, by steps from the middle', () => {
    const links = [link('a', 'm', 5), link('m', 'b', 9), link('c', 'b', 1), link('c', 'a', 1)];
    const out = place('m', ['m', 'a', 'b', 'c', 'alone'].map(node), links);
    expect(out.map((p) => [p.node.id, p.hop])).toEqual([
      ['m', 0],
      ['b', 1],
      ['a', 1],
      ['c', 2],
    ]);
  });

  test('names of one side never cover each other', () => {
    const ids = Array.from({ length: 16 }, (_, i) => `f${i}`);
    const out = place(
      'm',
      ['m', ...ids].map(node),
      ids.map((id, i) => link(id, 'm', 100 - i)),
    );
    const names = labels(out, 165, 118, 11);
    expect(names).toHaveLength(16);
    for (const side of ['start', 'end']) {
      const ys = names
        .filter((l) => l.side === side)
        .map((l) => l.y)
        .sort((a, b) => a - b);
      for (let i = 1; i < ys.length; i++)
        expect(Number(ys[i]) - Number(ys[i - 1])).toBeGreaterThan(14.9);
    }
  });

  test('a firm that nobody knows gives no picture', () => {
    expect(place('x', [node('a')], [])).toEqual([]);
  });
});

test('scenes of one day stand together, newest day first', () => {
  const scene = (id: string, date: string, cloud_share: number): Scene => ({
    id,
    date,
    cloud_share,
    collection: 's2',
    bbox: [0, 0, 1, 1],
  });
  const out = days([
    scene('a', '2026-05-01T03:00:00Z', 0.2),
    scene('c', '2026-05-06T03:00:00Z', 0),
    scene('b', '2026-05-01T03:00:14Z', 0.4),
  ]);
  expect(out.map((d) => d.date)).toEqual(['2026-05-06', '2026-05-01']);
  expect(out[1]?.scenes.map((s) => s.id)).toEqual(['a', 'b']);
  expect(out[1]?.cloud).toBeCloseTo(0.3);
});

describe('the picture of a map', () => {
  const day = {
    date: '2026-05-01',
    cloud: 0,
    scenes: [
      { id: 'a', bbox: [1, 2, 3, 4] },
      { id: 'b', bbox: [] },
    ] as unknown as Scene[],
  };

  test('shows every scene of the day, each in its box', () => {
    expect(pictureOf(day, 'crop', 0.9)).toEqual({
      layer: 'crop',
      opacity: 0.9,
      items: [{ id: 'a', bbox: [1, 2, 3, 4] }, { id: 'b' }],
    });
  });

  test('is none without a day or a layer', () => {
    expect(pictureOf(undefined, 'ndvi', 1)).toBeUndefined();
    expect(pictureOf(day, layerOf('none'), 1)).toBeUndefined();
    expect(layerOf('hazard')).toBe('hazard');
    expect(layerOf('../x')).toBeUndefined();
  });
});
