import { describe, expect, test } from 'vitest';
import type { CropReport, Growth } from '../src/api/types';
import { formats } from '../src/format';
import { dayOf, errorDays, grades, portrait } from '../src/portrait';

const zh = formats('zh-CN');
const en = formats('en');
const at = (day: string) => `${day}T04:00:00Z`;
const range = (date: string, from: string, to: string) => ({
  date: at(date),
  from: at(from),
  to: at(to),
});
const keys = (told: { key: string }[]) => told.map((s) => s.key);

describe('the portrait of a season', () => {
  const phenology: CropReport['phenology'] = {
    sown: range('2025-10-12', '2025-10-08', '2025-10-18'),
    peak: at('2026-04-20'),
    peak_ndvi: 0.83,
    seasons: 1,
    stage: 'ripening',
  };

  test('is told in the order of the year, with the error of a date', () => {
    const told = portrait({ phenology, last_clear: at('2026-05-20') }, zh);
    expect(keys(told)).toEqual(['sown', 'peak', 'stage.ripening']);
    expect(told[0]?.values).toEqual({ date: '2025年10月12日', days: 6 });
    expect(told[1]?.values).toEqual({ date: '2026年4月20日' });
    expect(portrait({ phenology }, en)[0]?.values.date).toBe('12 October 2025');
  });

  test('says harvested once, with its date where it is known', () => {
    const harvested = range('2026-06-05', '2026-06-05', '2026-06-05');
    const told = { ...phenology, stage: 'harvested' };
    const last_clear = at('2026-06-09');
    expect(keys(portrait({ phenology: { ...told, harvested }, last_clear }, zh))).toEqual([
      'sown',
      'peak',
      'harvested_sure',
    ]);
    expect(keys(portrait({ phenology: told, last_clear }, zh))).toEqual([
      'sown',
      'peak',
      'stage.harvested',
    ]);
  });

  test('leaves out what was not seen', () => {
    const none = { peak_ndvi: 0, seasons: 0, peak: '0001-01-01T00:00:00Z' };
    expect(portrait({ phenology: none }, zh)).toEqual([]);
  });
});

test('the error of a date is the greater of its two sides', () => {
  expect(errorDays(range('2026-06-05', '2026-06-03', '2026-06-15'))).toBe(10);
});

test('a grade keeps within its five and holds itself', () => {
  const of = (grade: number, low: number, high: number) =>
    grades({ grade, grade_low: low, grade_high: high } as Growth);
  expect(of(4, 3, 5)).toEqual({ grade: 4, low: 3, high: 5 });
  expect(of(2, 0, 6)).toEqual({ grade: 2, low: 2, high: 2 });
  expect(of(0, 0, 0)).toBeUndefined();
  expect(grades(undefined)).toBeUndefined();
});

test('the day of a scene is that of its look', () => {
  const observations = [{ scene: 'a', date: at('2026-05-01') }] as CropReport['observations'];
  expect(dayOf({ observations }, 'a')).toBe(at('2026-05-01'));
  expect(dayOf({ observations }, 'b')).toBeUndefined();
  expect(dayOf({ observations }, '')).toBeUndefined();
});
