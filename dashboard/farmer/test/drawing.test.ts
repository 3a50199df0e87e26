import { expect, test } from 'vitest';
import { type Drawing, draw, drawing, type Move } from '../src/draw/drawing';

const run = (...moves: Move[]): Drawing => moves.reduce(draw, drawing());
const corner = (x: number): Move => ({ do: 'add', at: [x, x * x] });
const triangle: Move[] = [corner(0), corner(1), corner(2)];

test('corners are added until the boundary is closed', () => {
  const d = run(...triangle, { do: 'close' }, corner(3));
  expect(d.shape).toEqual({
    corners: [
      [0, 0],
      [1, 1],
      [2, 4],
    ],
    closed: true,
  });
});

test('two corners cannot be closed, and a tap twice in one place counts once', () => {
  expect(run(corner(0), corner(1), { do: 'close' }).shape.closed).toBe(false);
  expect(run(corner(1), corner(1)).shape.corners).toHaveLength(1);
});

test('every move can be undone and done again', () => {
  const moves: Move[] = [
    ...triangle,
    { do: 'close' },
    { do: 'move', index: 1, at: [9, 9] },
    { do: 'insert', after: 2, at: [5, 5] },
    { do: 'remove', index: 0 },
    { do: 'clear' },
  ];
  const after = run(...moves);
  let d = after;
  for (const _ of moves) d = draw(d, { do: 'undo' });
  expect(d.shape.corners).toEqual([]);
  expect(draw(d, { do: 'undo' })).toBe(d);
  for (const _ of moves) d = draw(d, { do: 'redo' });
  expect(d.shape).toEqual(after.shape);
  expect(draw(d, { do: 'redo' })).toBe(d);
});

test('a new move forgets what was undone', () => {
  const d = run(...triangle, { do: 'undo' }, corner(7));
  expect(d.future).toEqual([]);
  expect(d.shape.corners.at(-1)).toEqual([7, 49]);
});

test('taking a corner from a triangle opens it', () => {
  const d = run(...triangle, { do: 'close' }, { do: 'remove', index: 1 });
  expect(d.shape).toEqual({
    corners: [
      [0, 0],
      [2, 4],
    ],
    closed: false,
  });
});

test('an inserted corner stands after the side it splits, also the closing one', () => {
  const d = run(...triangle, { do: 'close' }, { do: 'insert', after: 2, at: [8, 8] });
  expect(d.shape.corners[3]).toEqual([8, 8]);
});

test('moves on corners that are not there change nothing', () => {
  const d = run(...triangle);
  expect(draw(d, { do: 'move', index: 3, at: [0, 0] })).toBe(d);
  expect(draw(d, { do: 'remove', index: -1 })).toBe(d);
  expect(draw(d, { do: 'insert', after: 9, at: [0, 0] })).toBe(d);
});

test('a typed boundary replaces the drawing in one step', () => {
  const d = run(corner(5), {
    do: 'replace',
    corners: [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
  });
  expect(d.shape.closed).toBe(true);
  expect(draw(d, { do: 'undo' }).shape.corners).toEqual([[5, 25]]);
});
