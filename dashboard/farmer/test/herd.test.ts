import type { Animal, AnimalState } from '@furrow/shared/api/types';
import { describe, expect, test } from 'vitest';
import { grouped, judge } from '../src/herd/claim';
import { dayBefore, momentOf } from '../src/herd/day';
import { causeOf, causes, dotsOf, freshened } from '../src/herd/evidence';
import { find, lines, monthsOld } from '../src/herd/find';
import { eventOf, identityOf, isEarNumber, reasons, reportsOf } from '../src/herd/report';

const state = (id: string, status: string, more: Partial<AnimalState> = {}): AnimalState => ({
  animal_id: id,
  code: id,
  tag_id: '',
  status,
  ...more,
});

const animal = (id: string, code: string, more: Partial<Animal> = {}): Animal => ({
  id,
  herd_id: 'h',
  identity: { scheme: 'cn-67', code },
  species: 'cattle',
  sex: 'f',
  born: '2023-02-17T16:00:00Z',
  tag_id: '',
  ...more,
});

describe('why not all animals count', () => {
  const states = [
    state('a', 'inside'),
    state('b', 'inside'),
    state('c', 'inside'),
    state('d', 'outside', { reason: 'fence_exit' }),
    state('e', 'unverified', { reason: 'stillness' }),
    state('f', 'unverified', { reason: 'stillness' }),
    state('g', 'never_entered'),
  ];

  test('heads add up to the difference, most first, what names no animal last', () => {
    const found = causes({ registered: 7, tagged: 2, verified: 1 }, states);
    expect(found.map((c) => [c.key, c.heads, c.named])).toEqual([
      ['stillness', 2, true],
      ['fence_exit', 1, true],
      ['never_entered', 1, true],
      ['two_tags', 1, false],
      ['counts_short', 1, false],
    ]);
    expect(found.reduce((n, c) => n + c.heads, 0)).toBe(7 - 1);
  });

  test('a herd that counts in whole has no causes', () => {
    expect(causes({ registered: 3, tagged: 3, verified: 3 }, states.slice(0, 3))).toEqual([]);
  });

  test('an animal inside counts, whatever else is open of it', () => {
    expect(causeOf({ status: 'inside', reason: '' })).toBe('');
    expect(causeOf({ status: 'no_data', reason: 'no_tag' })).toBe('no_tag');
    expect(causeOf({ status: 'new_status' })).toBe('new_status');
  });
});

test('dots are of placed animals, those in trouble drawn last', () => {
  const dots = dotsOf([
    state('out', 'outside', { lon: 1, lat: 2 }),
    state('in', 'inside', { lon: 0, lat: 0 }),
    state('unknown', 'no_data'),
  ]);
  expect(dots.map((d) => d.id)).toEqual(['in', 'out']);
});

test('live states take the place of older ones and bring in no strangers', () => {
  const old = [
    state('a', 'inside', { last_heard: '2026-01-01T10:00:00Z' }),
    state('b', 'inside', { last_heard: '2026-01-01T12:00:00Z' }),
  ];
  const now = freshened(old, [
    state('a', 'outside', { last_heard: '2026-01-01T11:00:00Z' }),
    state('b', 'outside', { last_heard: '2026-01-01T11:00:00Z' }),
    state('c', 'inside'),
  ]);
  expect(now.map((s) => [s.animal_id, s.status])).toEqual([
    ['a', 'outside'],
    ['b', 'inside'],
  ]);
});

describe('the list of animals', () => {
  const all = lines(
    [
      animal('1', '241072501000021'),
      animal('2', '241072501000212', { tag_id: 'A-021' }),
      animal('3', '241072501000003', { status: 'dead' }),
      animal('4', '241072501000999'),
    ],
    [state('1', 'inside'), state('2', 'inside'), state('4', 'silent')],
  );
  const ids = (found: typeof all) => found.map((l) => l.animal.id);

  test('those in trouble come first, those that are gone last', () => {
    expect(ids(all)).toEqual(['4', '1', '2', '3']);
  });

  test('last digits find an animal, by number or tag, before digits within', () => {
    expect(ids(find(all, '021'))).toEqual(['1', '2']);
    expect(ids(find(all, ' ０２１２'))).toEqual(['2']);
    expect(ids(find(all, '212'))).toEqual(['2']);
    expect(ids(find(all, '0002'))).toEqual(['1', '2']);
    expect(ids(find(all, 'a-021'))).toEqual(['2']);
    expect(ids(find(all, '7777'))).toEqual([]);
    expect(find(all, '')).toHaveLength(4);
  });
});

test('age is in whole months, and unknown where the birth is', () => {
  const now = Date.parse('2026-05-31T00:00:00Z');
  expect(monthsOld('2026-05-30T00:00:00Z', now)).toBe(0);
  expect(monthsOld('2025-05-30T00:00:00Z', now)).toBe(12);
  expect(monthsOld('2026-06-02T00:00:00Z', now)).toBe(0);
  expect(monthsOld('0001-01-01T00:00:00Z', now)).toBeUndefined();
});

describe('claim codes', () => {
  // Printed by the house.
  const printed = ['UXGV-CR96-VA84-AJBG', 'DCQX-AYRT-BUEF-KQZE', 'JTUH-MG7U-45GK-PAG3'];

  test.each(printed)('%s is sound, however it is typed', (code) => {
    for (const typed of [
      code,
      code.toLowerCase(),
      code.replaceAll('-', ''),
      ` ${code.replaceAll('-', ' – ')}\n`,
    ]) {
      expect(judge(typed)).toBe('');
      expect(grouped(typed)).toBe(code);
    }
  });

  test.each(printed)('every slip of the finger in %s is told', (code) => {
    const bare = code.replaceAll('-', '');
    for (let i = 0; i < bare.length; i++) {
      for (const c of '23456789ABCDEFGHJKMNPQRSTUVWXYZ')
        if (c !== bare[i]) expect(judge(bare.slice(0, i) + c + bare.slice(i + 1))).toBe('check');
      const [x, y] = [bare[i], bare[i + 1]];
      if (y && x !== y) expect(judge(bare.slice(0, i) + y + x + bare.slice(i + 2))).toBe('check');
    }
  });

  test('what no code has is told apart from what is missing', () => {
    expect(judge('UXGV-CR96-VA84-AJB0')).toBe('letters');
    expect(judge('UXGV-CR96')).toBe('length');
    expect(judge('UXGV-CR96-VA84-AJBG-2')).toBe('length');
    expect(judge('')).toBe('length');
    expect(grouped('uxgvc')).toBe('UXGV-C');
  });
});

describe('days', () => {
  const now = Date.parse('2026-05-30T17:00:00Z'); // 1 a.m. of the 31st in China

  test('a day is China’s', () => {
    expect(dayBefore(now, 0)).toBe('2026-05-31');
    expect(dayBefore(now, 1)).toBe('2026-05-30');
  });

  test('today is now, a day before is its noon', () => {
    expect(momentOf('2026-05-31', now)).toBe('2026-05-30T17:00:00.000Z');
    expect(momentOf('2026-05-30', now)).toBe('2026-05-30T04:00:00.000Z');
  });

  test.each(['2026-06-01', '2026-02-30', '', '31.5.2026'])('%s is refused', (day) => {
    expect(momentOf(day, now)).toBeNull();
  });
});

describe('reports', () => {
  const cow = animal('1', '241072501000021', { tag_id: 'A-1' });

  test('what can befall an animal depends on what it is', () => {
    expect(reportsOf(cow, 2)).toEqual(['birth', 'death', 'departure', 'move', 'tag', 'number']);
    expect(reportsOf({ ...cow, sex: 'm' }, 0)).toEqual(['death', 'departure', 'tag', 'number']);
    expect(reportsOf({ ...cow, status: 'dead' }, 2)).toEqual([]);
    expect(reportsOf({ ...cow, status: 'off_farm' }, 2)).toEqual([]);
  });

  const at = '2026-05-31T04:00:00.000Z';

  test('a form becomes the event that the house knows', () => {
    expect(eventOf('death', { at, reason: 'disease', note: '  ' }, cow)).toEqual({
      kind: 'death',
      at,
      reason: 'disease',
    });
    expect(eventOf('departure', { at, reason: 'sale', note: ' 老王买走 ' }, cow)).toEqual({
      kind: 'departure',
      at,
      reason: 'sale',
      note: '老王买走',
    });
    expect(eventOf('move', { at, pen: 'p' }, cow)).toEqual({ kind: 'move', at, pen_id: 'p' });
    expect(eventOf('move', { at, pen: '' }, cow)).toEqual({ kind: 'move', at });
    expect(eventOf('tag', { at, reason: 'lost', tag: 'A-2' }, cow)).toMatchObject({
      kind: 'tag_on',
      tag_id: 'A-2',
    });
    expect(eventOf('tag', { at, reason: 'lost', tag: '' }, cow)).toMatchObject({
      kind: 'tag_lost',
      tag_id: 'A-1',
    });
    expect(eventOf('number', { at, code: '２41072501000099 ' }, cow)).toMatchObject({
      kind: 'identified',
      identity: { scheme: 'cn-67', code: '241072501000099' },
    });
  });

  test('a number keeps the scheme that the animal goes by, if it is one of ear tags', () => {
    const by = (scheme: string) =>
      identityOf('156000000000001', { identity: { scheme, code: '' } });
    expect(by('iso-11784').scheme).toBe('iso-11784');
    expect(by('dev-eui').scheme).toBe('cn-67');
    expect(by('').scheme).toBe('cn-67');
  });

  test('an ear number is fifteen digits', () => {
    expect(isEarNumber('2410 7250 1000 021')).toBe(true);
    expect(isEarNumber('24107250100002')).toBe(false);
    expect(isEarNumber('24107250100002a')).toBe(false);
  });

  test('every reason has words', async () => {
    const { default: words } = await import('../src/locales/zh-CN/herd.json');
    for (const [what, list] of Object.entries(reasons)) {
      const group = what === 'death' || what === 'departure' ? `${what}_reason` : 'tag_reason';
      for (const reason of list ?? [])
        expect(Object.keys(words[group as 'death_reason'])).toContain(reason);
    }
  });
});
