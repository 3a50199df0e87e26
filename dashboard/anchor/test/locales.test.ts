import { expect, test } from 'vitest';

const all = import.meta.glob<Record<string, unknown>>('../src/locales/*/*.json', {
  eager: true,
  import: 'default',
});

function keys(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return [`${path} ${[...value.matchAll(/{{\w+}}/g)].sort()}`];
  return Object.entries(value as object).flatMap(([k, v]) => keys(v, `${path}.${k}`));
}

const chinese = Object.keys(all).filter((path) => path.includes('/zh-CN/'));

test('there are texts', () => expect(chinese.length).toBeGreaterThan(3));

test.each(chinese)('%s says the same things in English', (path) => {
  expect(keys(all[path.replace('/zh-CN/', '/en/')]).sort()).toEqual(keys(all[path]).sort());
});
