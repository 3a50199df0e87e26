import type { Link, NodeView } from '@furrow/shared/api/types';

export interface Placed {
  node: NodeView;
  x: number;
  y: number;
  /** Steps of trade from the firm in the middle. */
  hop: number;
}

/** A name beside its place: where it stands, and to which side it runs. */
export interface Label {
  id: string;
  text: string;
  x: number;
  y: number;
  side: 'start' | 'end';
}

const LINE = 15;

/**
 * Names of the firms one step away, and of anchors, in picture units; those of a side are
 * pushed apart so that none covers another.
 */
export function labels(placed: Placed[], width: number, height: number, letters: number): Label[] {
  const all = placed
    .filter((p) => p.hop === 1 || (p.hop === 2 && p.node.anchor))
    .map((p): Label => {
      const side = p.x >= -1e-9 ? 'start' : 'end';
      return {
        id: p.node.id,
        text: p.node.name.length > letters ? `${p.node.name.slice(0, letters)}…` : p.node.name,
        x: p.x * width + (side === 'start' ? 13 : -13),
        y: p.y * height + 4,
        side,
      };
    });
  for (const side of ['start', 'end']) {
    const column = all.filter((l) => l.side === side).sort((a, b) => a.y - b.y);
    column.forEach((l, i) => {
      const above = column[i - 1];
      if (above) l.y = Math.max(l.y, above.y + LINE);
    });
  }
  return all;
}

/**
 * Places a firm in the middle, its partners on a ring around it and theirs on an outer
 * one, each near the partner that leads to it. At most `most` firms, nearest and largest
 * trade first.
 */
export function place(
  center: string,
  nodes: NodeView[],
  links: Pick<Link, 'seller_id' | 'buyer_id' | 'invoiced'>[],
  most = 48,
): Placed[] {
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const self = byId.get(center);
  if (!self) return [];
  const sorted = [...links].sort((a, b) => b.invoiced - a.invoiced);
  const placed: Placed[] = [{ node: self, x: 0, y: 0, hop: 0 }];
  const angle = new Map<string, number>();
  const taken = new Set([center]);
  const partners = (of: string) =>
    sorted
      .flatMap((l) => (l.seller_id === of ? [l.buyer_id] : l.buyer_id === of ? [l.seller_id] : []))
      .filter((id) => byId.has(id) && !taken.has(id) && taken.add(id));

  const ring = partners(center).slice(0, Math.min(most - 1, 16));
  ring.forEach((id, i) => {
    const a = (i / ring.length) * 2 * Math.PI - Math.PI / 2;
    angle.set(id, a);
    placed.push({ node: byId.get(id) as NodeView, x: Math.cos(a), y: Math.sin(a), hop: 1 });
  });
  const sector = (2 * Math.PI) / Math.max(ring.length, 1);
  for (const id of ring) {
    const room = most - placed.length;
    if (room <= 0) break;
    const next = partners(id).slice(0, Math.min(room, 8));
    next.forEach((far, i) => {
      const a = (angle.get(id) ?? 0) + ((i + 0.5) / next.length - 0.5) * sector * 0.92;
      placed.push({
        node: byId.get(far) as NodeView,
        x: 2 * Math.cos(a),
        y: 2 * Math.sin(a),
        hop: 2,
      });
    });
  }
  return placed;
}
