import type { Alert, AnimalState, HerdReport } from '@furrow/shared/api/types';
import { describe, expect, test } from 'vitest';
import { asked, gains, hours, means, stacked, ways } from '../src/animal/timeline';
import { ailing, healthOf, integrityOf } from '../src/herd/findings';
import { scaleOf } from '../src/herd/IntervalBar';
import { dotOf } from '../src/herd/look';
import { among, HerdStates, tally, worst } from '../src/herd/states';
import { fromField, toField } from '../src/herd/when';
import { sortedBy } from '../src/pieces/DataTable';
import { preview } from '../src/pieces/payload';
import { sayable } from '../src/pieces/saying';
import { alertPath } from '../src/pieces/subject';

const animal = (id: string, more: Partial<AnimalState> = {}): AnimalState => ({
  animal_id: id,
  code: `2410${id}`,
  tag_id: `T-${id}`,
  status: 'inside',
  ...more,
});
const ids = (list: AnimalState[]) => list.map((s) => s.animal_id).join('');

describe('the animals of a herd', () => {
  test('follow what arrives live, and snapshots stay as they were', () => {
    const store = new HerdStates([animal('a'), animal('b')]);
    let told = 0;
    store.listen(() => told++);
    const before = store.snapshot();
    store.take([animal('b', { status: 'outside' }), animal('stranger')]);
    expect(told).toBe(1);
    expect(before.map((s) => s.status)).toEqual(['inside', 'inside']);
    expect(store.snapshot().map((s) => s.status)).toEqual(['inside', 'outside']);
    expect(store.snapshot()).toBe(store.snapshot());
  });

  test('a load does not undo what was heard since, and takes all else', () => {
    const store = new HerdStates([animal('a'), animal('b')]);
    store.take([animal('a', { last_heard: '2026-06-01T00:01:00Z', temp_c: 33 })]);
    store.load([
      animal('a', { last_heard: '2026-06-01T00:00:00Z', temp_c: 31 }),
      animal('c', { status: 'silent' }),
    ]);
    expect(store.snapshot().map((s) => [s.animal_id, s.temp_c, s.status])).toEqual([
      ['a', 33, 'inside'],
      ['c', undefined, 'silent'],
    ]);
  });

  test('are narrowed by status, sign, pen and part of a code or tag', () => {
    const a = animal('a', { signs: ['fever'], pen_id: 'p1' });
    const all = { status: '', sign: '', pen: '', find: '' };
    expect(among(a, all)).toBe(true);
    expect(among(a, { ...all, status: 'outside' })).toBe(false);
    expect(among(a, { ...all, sign: 'fever', pen: 'p1', find: 't-A' })).toBe(true);
    expect(among(a, { ...all, pen: 'p2' })).toBe(false);
    expect(among(a, { ...all, find: '9' })).toBe(false);
  });

  test('stand with the most worrying first, and are counted', () => {
    const list = [
      animal('a'),
      animal('b', { status: 'silent' }),
      animal('c', { signs: ['fever'] }),
      animal('d', { status: 'outside' }),
      animal('e', { status: 'from_tomorrow' }),
    ];
    expect(ids(worst(list))).toBe('edbca');
    expect(tally(list)).toEqual({
      statuses: { inside: 2, silent: 1, outside: 1, from_tomorrow: 1 },
      signs: { fever: 1 },
    });
  });

  test('one that was never placed has no dot; a sign rings the others', () => {
    expect(dotOf(animal('a'))).toBeUndefined();
    expect(dotOf(animal('a', { lon: 1, lat: 2 }))?.ring).toBeUndefined();
    expect(dotOf(animal('a', { lon: 1, lat: 2, signs: ['fever'] }))?.ring).toMatch(/^#/);
  });
});

test('rows sort by number and by text, and stay in order where they are equal', () => {
  const rows = [
    { n: 2, s: 'b' },
    { n: 1, s: 'b' },
    { n: 3, s: 'a' },
  ];
  expect(sortedBy(rows, (r) => r.n, true).map((r) => r.n)).toEqual([3, 2, 1]);
  expect(sortedBy(rows, (r) => r.s, false).map((r) => r.n)).toEqual([3, 2, 1]);
});

describe('what is the matter with a herd', () => {
  const report = {
    integrity: { silent: 50, tag_off: 0, carrier: 0, two_tags: 1, two_places: 0, impostors: 0 },
    health: { judged: 9, fever: 2, oestrus: 3, still: 0, idle: 0 },
  } as unknown as HerdReport;
  const alert = (kind: string, more = {}) => ({ id: kind, kind, item: 'x', ...more }) as Alert;

  test('is what the report counts and what is open, the gravest first', () => {
    const found = integrityOf(report, [
      alert('two_tags'),
      alert('carrier'),
      alert('tag_off', { closed_at: '2026-06-01T00:00:00Z' }),
    ]);
    expect(found.map((m) => [m.kind, m.n, m.alerts.length])).toEqual([
      ['two_tags', 1, 1],
      ['carrier', 1, 1],
      ['silence', 50, 0],
    ]);
  });

  test('oestrus is no illness', () => {
    expect(ailing(healthOf(report, []))).toBe(2);
  });
});

describe('a timeline', () => {
  const told = {
    from: '2026-06-01T00:00:00Z',
    to: '2026-06-01T03:00:00Z',
    step_s: 3600,
    measures: [
      { name: 'temp_c', bins: [{ at: '2026-06-01T01:00:00Z', mean: 33, n: 6 }] },
      {
        name: 'grazing_s',
        bins: [
          { at: '2026-06-01T00:00:00Z', mean: 300, n: 6 },
          { at: '2026-06-01T01:00:00Z', mean: 600, n: 6 },
        ],
      },
      { name: 'lying_s', bins: null },
    ],
  };

  test('leaves hours without a value empty', () => {
    const { x, y } = means(told, ['temp_c', 'activity']);
    expect(x.length).toBe(3);
    expect(y).toEqual([
      [null, 33, null],
      [null, null, null],
    ]);
  });

  test('adds up what the animal did, in hours', () => {
    const { y } = hours(told, 7200);
    expect(y.map((row) => row[0])).toEqual([null, null, 1.5, null]);
    expect(y.map((row) => row[1])).toEqual([null, null, null, null]);
  });

  test('bars stand on each other, and an untold bar is none', () => {
    expect(
      stacked([
        [1, null, null],
        [2, 3, null],
      ]),
    ).toEqual([
      [1, 0, null],
      [3, 3, null],
    ]);
  });

  test("days are the bank's days, and today is the last one", () => {
    const now = Date.parse('2026-06-10T17:02:00Z'); // 01:02 of the 11th in Beijing
    expect(asked('week', now)).toEqual({
      from: '2026-06-04T16:00:00.000Z',
      to: '2026-06-10T17:05:00.000Z',
      step_s: 3600,
    });
    expect(asked('day', now).from).toBe('2026-06-09T18:00:00.000Z');
  });

  test('the way breaks where nothing was heard', () => {
    const spot = (minute: number, lon: number) => ({
      at: new Date(minute * 60_000).toISOString(),
      lon,
      lat: 0,
    });
    expect(ways([spot(0, 1), spot(10, 2), spot(90, 3), spot(100, 4), spot(300, 5)])).toEqual([
      [
        [1, 0],
        [2, 0],
      ],
      [
        [3, 0],
        [4, 0],
      ],
    ]);
  });

  test('gains are kg a day, and none within a day', () => {
    const w = (at: string, kg: number) => ({ at: `${at}T00:00:00Z`, kg });
    expect(gains([w('2026-01-01', 300), w('2026-01-31', 330), w('2026-01-31', 331)])).toEqual([
      undefined,
      1,
      undefined,
    ]);
  });
});

describe('small things', () => {
  test('a field for a time is on the clock of Beijing', () => {
    expect(toField(Date.parse('2026-05-31T18:30:00Z'))).toBe('2026-06-01T02:30');
    expect(fromField('2026-06-01T02:30')).toBe('2026-05-31T18:30:00.000Z');
    expect(fromField('')).toBe('');
  });

  test('a payload is text where it is, and bytes where it is not', () => {
    expect(preview(btoa('{"tag":1}'))).toEqual({ kind: 'text', text: '{"tag":1}', size: 9 });
    expect(preview(btoa('\u0000\u00ff'))).toEqual({ kind: 'hex', text: '00 ff', size: 2 });
    expect(preview('5LiA')).toEqual({ kind: 'text', text: '\u4e00', size: 3 });
    expect(preview('')).toMatchObject({ size: 0 });
  });

  test('an alert is said when all that its sentence needs is there', () => {
    expect(sayable('fever', { rise_c: '1.2', hours: '6', tag: 'T' })?.left).toEqual({ tag: 'T' });
    expect(sayable('fever', { rise_c: '1.2' })).toBeUndefined();
    expect(sayable('flood', { share: '1' })).toBeUndefined();
  });

  test('an alert leads to its animal, its subject, or nowhere', () => {
    const of = (kind: string, subject_kind: string, item?: string) =>
      alertPath({ kind, subject_kind, subject_id: 's', ...(item ? { item } : {}) });
    expect(of('fever', 'herd', 'a')).toBe('/herds/s/animals/a');
    expect(of('gateway_silent', 'herd', 'gw')).toBe('/herds/s');
    expect(of('flood', 'plot')).toBe('/plots/s');
    expect(of('store_down', 'house', 'telemetry')).toBeUndefined();
  });

  test('a scale holds every interval', () => {
    const [from, to] = scaleOf([
      { low: 90, high: 120, estimate: 100, tags: 130 },
      { low: 1, high: 3, estimate: 2, tags: 2 },
    ]);
    expect(from).toBeLessThanOrEqual(1);
    expect(to).toBeGreaterThan(130);
  });
});
