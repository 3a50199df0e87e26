import { expect, test } from 'vitest';
import { problemOf } from '../src/api/problem';
import { wait } from '../src/live';
import { boundsOfPolygons } from '../src/map/geometry';

test('a problem keeps its code, words, items and request id', async () => {
  const body = {
    status: 422,
    code: 'plot.too_small',
    detail: 'the plot has 3 m²',
    errors: [{ location: 'body.polygon', message: 'too small' }],
    request_id: 'r1',
  };
  const e = await problemOf(new Response(JSON.stringify(body), { status: 422 }));
  expect(e).toMatchObject({ status: 422, code: 'plot.too_small', requestId: 'r1' });
  expect(e.message).toBe('the plot has 3 m²');
  expect(e.items).toHaveLength(1);
});

test('an answer that is no problem document still becomes an error', async () => {
  const e = await problemOf(new Response('<html>', { status: 502 }));
  expect(e).toMatchObject({ status: 502, code: 'http.502', detail: '' });
});

test('waits double up to a limit, half of it random', () => {
  expect([0, 1, 2, 10].map((n) => wait(n, () => 1))).toEqual([500, 1000, 2000, 15000]);
  expect(wait(3, () => 0)).toBe(2000);
});

test('the box of polygons', () => {
  expect(
    boundsOfPolygons([
      [
        [
          [1, 2],
          [3, 1],
          [2, 5],
          [1, 2],
        ],
      ],
    ]),
  ).toEqual([1, 1, 3, 5]);
  expect(boundsOfPolygons([])).toBeUndefined();
});
