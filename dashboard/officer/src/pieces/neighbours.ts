import type { Link, NodeView } from '@furrow/shared/api/types';

export interface Placed {
  node: NodeView;
  x: number;
  y: number;
  /** Steps of trade from the firm in the middle. */
  hop: number;
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
