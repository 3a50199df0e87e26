import { defineConfig } from 'vitest/config';
import { sources } from './vite.face.ts';

// Vitest 5 groups failures with Map.groupBy, which Debian's Node 20 does not have yet.
Map.groupBy ??= <K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K) => {
  const groups = new Map<K, T[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
};

export default defineConfig({
  resolve: { alias: sources },
  test: { include: ['*/{src,test}/**/*.test.{ts,tsx}'], environment: 'node' },
});
