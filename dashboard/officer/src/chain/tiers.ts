import type { Sme } from '@furrow/shared/api/types';

/** A firm in the picture: its column, where its bar begins and how high that is. */
export interface Bar {
  id: string;
  name: string;
  tier: number;
  amount: number;
  y: number;
  height: number;
}

/** Trade between two bars: the middle of the band on either side, and its width. */
export interface Band {
  from: string;
  to: string;
  amount: number;
  y1: number;
  y2: number;
  width: number;
}

export interface Layers {
  bars: Bar[];
  bands: Band[];
  tiers: number;
  height: number;
}

/** The least a bar takes, so that its name stands beside it. */
const SLOT = 17;

/**
 * Places the largest firms of each tier in columns around an anchor of tier 0, each near
 * those it trades with, with bands as wide as the trade. A firm whose way to the anchor
 * leads through none that is drawn is left out. `room` is the height of the fullest
 * column without gaps.
 */
export function layers(
  anchor: { id: string; name: string },
  firms: Sme[],
  most = 12,
  room = 300,
): Layers {
  const columns: Sme[][] = [];
  const drawn = new Set([anchor.id]);
  const tiers = firms.reduce((n, s) => Math.max(n, s.tier), 0);
  for (let tier = 1; tier <= tiers; tier++) {
    const column = firms
      .filter((s) => s.tier === tier && s.links.some((l) => drawn.has(l.firm_id)))
      .sort((a, b) => b.amount - a.amount)
      .slice(0, most);
    if (column.length === 0) break;
    for (const s of column) drawn.add(s.firm_id);
    columns.push(column);
  }
  const sums = columns.map((c) => c.reduce((n, s) => n + through(s, drawn), 0));
  const top = Math.max(...sums, 1);
  const scale = room / top;

  const bars: Bar[] = [];
  const at = new Map<string, Bar>();
  const put = (bar: Bar) => {
    bars.push(bar);
    at.set(bar.id, bar);
  };
  const middle = new Map<string, number>([[anchor.id, 0]]);
  let tallest = 0;
  const stacks = columns.map((column) => {
    const sorted = [...column].sort((a, b) => near(a, middle) - near(b, middle));
    for (const [i, s] of sorted.entries()) middle.set(s.firm_id, i);
    const slots = sorted.map((s) => Math.max(SLOT, through(s, drawn) * scale + 3));
    const height = slots.reduce((a, b) => a + b, 0);
    tallest = Math.max(tallest, height);
    return { sorted, slots, height };
  });
  const anchorHeight = Math.max((sums[0] ?? 0) * scale, SLOT);
  tallest = Math.max(tallest, anchorHeight);
  put({
    ...anchor,
    tier: 0,
    amount: sums[0] ?? 0,
    y: (tallest - anchorHeight) / 2,
    height: anchorHeight,
  });
  stacks.forEach(({ sorted, slots, height }, k) => {
    let y = (tallest - height) / 2;
    sorted.forEach((s, i) => {
      const slot = slots[i] ?? SLOT;
      const h = Math.max(through(s, drawn) * scale, 1.5);
      put({
        id: s.firm_id,
        name: s.name,
        tier: k + 1,
        amount: s.amount,
        y: y + (slot - h) / 2,
        height: h,
      });
      y += slot;
    });
  });
  return { bars, bands: bandsOf(columns, at, scale), tiers: columns.length, height: tallest };
}

/** What of a firm's trade leads to firms that are drawn. */
function through(s: Sme, drawn: Set<string>): number {
  return s.links.reduce((n, l) => (drawn.has(l.firm_id) ? n + l.amount : n), 0);
}

/** The mean place of those a firm trades with, so that bands cross less; large firms first. */
function near(s: Sme, middle: Map<string, number>): number {
  let [sum, n] = [0, 0];
  for (const l of s.links) {
    const at = middle.get(l.firm_id);
    if (at === undefined) continue;
    sum += at;
    n++;
  }
  return n ? sum / n : 0;
}

/** Bands leave and reach a bar side by side, spread evenly over it when they need more than it has. */
function bandsOf(columns: Sme[][], at: Map<string, Bar>, scale: number): Band[] {
  const bands = columns.flat().flatMap((s) =>
    s.links.flatMap((l): Band[] => {
      if (!at.has(l.firm_id)) return [];
      const width = Math.max(l.amount * scale, 0.75);
      return [{ from: s.firm_id, to: l.firm_id, amount: l.amount, y1: 0, y2: 0, width }];
    }),
  );
  const stack = (end: 'from' | 'to', other: 'from' | 'to', y: 'y1' | 'y2') => {
    for (const bar of at.values()) {
      const own = bands
        .filter((b) => b[end] === bar.id)
        .sort((a, b) => (at.get(a[other])?.y ?? 0) - (at.get(b[other])?.y ?? 0));
      const need = own.reduce((n, b) => n + b.width, 0);
      const fit = need > bar.height ? bar.height / need : 1;
      let next = bar.y + (bar.height - need * fit) / 2;
      for (const b of own) {
        b[y] = next + (b.width * fit) / 2;
        next += b.width * fit;
      }
    }
  };
  stack('from', 'to', 'y1');
  stack('to', 'from', 'y2');
  return bands;
}
