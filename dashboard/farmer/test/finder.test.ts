import { ApiError } from '@furrow/shared/api/problem';
import type { Suggestion } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { searchOf } from '../src/draw/useFinder';
import en from '../src/locales/en/plot.json';
import zh from '../src/locales/zh-CN/plot.json';

const at = [114, 35] as const;
const found = { confidence: 0.8 } as Suggestion;

test('a search waits, asks, and finds or says why not', () => {
  const idle = { error: null, isPending: false };
  expect(searchOf(undefined, idle)).toEqual({ at: undefined, state: 'waiting' });
  expect(searchOf(at, { error: null, isPending: true })).toEqual({ at, state: 'asking' });
  expect(searchOf(at, { ...idle, data: found })).toEqual({ at, state: 'found', suggestion: found });
  const refusal = new ApiError(404, 'boundary.bare', 'nothing grew here');
  expect(searchOf(at, { ...idle, error: refusal })).toEqual({
    at,
    state: 'refused',
    code: 'boundary.bare',
    detail: 'nothing grew here',
  });
  expect(searchOf(at, { ...idle, error: new TypeError('x') })).toMatchObject({
    state: 'refused',
    code: 'unexpected',
  });
});

test('an earlier answer does not outlive a new question', () => {
  expect(searchOf(at, { data: found, error: null, isPending: true }).state).toBe('asking');
});

test('every refusal of the finder has words in both languages', () => {
  for (const code of ['outside', 'cloud', 'bare', 'too_small', 'open', 'place'] as const)
    for (const texts of [zh, en]) expect(texts.refused.boundary[code].length).toBeGreaterThan(10);
});
