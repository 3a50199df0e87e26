import { expect, test } from 'vitest';
import { forget, keep, load } from '../src/apply/draft';

function storage(full = false): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (k: string) => items.get(k) ?? null,
    setItem: (k: string, v: string) => {
      if (full) throw new DOMException('full', 'QuotaExceededError');
      items.set(k, v);
    },
    removeItem: (k: string) => void items.delete(k),
  } as unknown as Storage;
}

test('a draft comes back, to its own person only', () => {
  const s = storage();
  expect(keep(s, 'u1', 'apply', { step: 2, key: 'k', yuan: '30000' })).toBe(true);
  expect(load(s, 'u1', 'apply')).toEqual({ step: 2, key: 'k', yuan: '30000' });
  expect(load(s, 'u2', 'apply')).toBeNull();
  expect(load(s, 'u1', 'plot')).toBeNull();
  forget(s, 'u1', 'apply');
  expect(load(s, 'u1', 'apply')).toBeNull();
});

test('a full phone is told, a damaged draft is none', () => {
  expect(keep(storage(true), 'u1', 'apply', { step: 0, key: 'k' })).toBe(false);
  const s = storage();
  s.setItem('furrow.farmer.apply.u1', '{"step":');
  expect(load(s, 'u1', 'apply')).toBeNull();
});
