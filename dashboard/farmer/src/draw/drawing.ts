/** The state of a boundary being drawn, with every step undoable. */
import type { Corner } from './ring.ts';

export interface Shape {
  readonly corners: readonly Corner[];
  readonly closed: boolean;
}

export interface Drawing {
  readonly shape: Shape;
  readonly past: readonly Shape[];
  readonly future: readonly Shape[];
}

export type Move =
  | { do: 'add'; at: Corner }
  | { do: 'move'; index: number; at: Corner }
  | { do: 'insert'; after: number; at: Corner }
  | { do: 'remove'; index: number }
  | { do: 'close' }
  | { do: 'open' }
  | { do: 'clear' }
  | { do: 'replace'; corners: readonly Corner[] }
  | { do: 'undo' }
  | { do: 'redo' };

const STEPS_KEPT = 200;
const BLANK: Shape = { corners: [], closed: false };

/** A drawing without history. */
export function drawing(shape: Shape = BLANK): Drawing {
  return { shape, past: [], future: [] };
}

function step(d: Drawing, shape: Shape): Drawing {
  return { shape, past: [...d.past, d.shape].slice(-STEPS_KEPT), future: [] };
}

/** The drawing after a move; the same object when the move changes nothing. */
export function draw(d: Drawing, m: Move): Drawing {
  const { corners, closed } = d.shape;
  switch (m.do) {
    case 'add': {
      const last = corners.at(-1);
      if (closed || (last && last[0] === m.at[0] && last[1] === m.at[1])) return d;
      return step(d, { corners: [...corners, m.at], closed: false });
    }
    case 'move':
      if (!corners[m.index]) return d;
      return step(d, { corners: corners.map((c, i) => (i === m.index ? m.at : c)), closed });
    case 'insert':
      if (!corners[m.after]) return d;
      return step(d, {
        corners: [...corners.slice(0, m.after + 1), m.at, ...corners.slice(m.after + 1)],
        closed,
      });
    case 'remove': {
      if (!corners[m.index]) return d;
      const left = corners.filter((_, i) => i !== m.index);
      return step(d, { corners: left, closed: closed && left.length > 2 });
    }
    case 'close':
      return closed || corners.length < 3 ? d : step(d, { corners, closed: true });
    case 'open':
      return closed ? step(d, { corners, closed: false }) : d;
    case 'clear':
      return corners.length ? step(d, BLANK) : d;
    case 'replace':
      return step(d, { corners: m.corners, closed: m.corners.length > 2 });
    case 'undo': {
      const shape = d.past.at(-1);
      return shape ? { shape, past: d.past.slice(0, -1), future: [d.shape, ...d.future] } : d;
    }
    case 'redo': {
      const [shape, ...future] = d.future;
      return shape ? { shape, past: [...d.past, d.shape], future } : d;
    }
  }
}
