import type { PayDifference } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { byKind } from './differences';

const one = (id: string, kind: PayDifference['kind'], state: PayDifference['state']) => ({
  id,
  kind,
  state,
  bank: 0,
  ours: 0,
});

test('what is open comes first, in its kind and among the kinds', () => {
  const kinds = byKind([
    one('1', 'late', 'resolved'),
    one('2', 'ours_only', 'resolved'),
    one('3', 'ours_only', 'open'),
    one('4', 'twice', 'proposed'),
  ]);
  expect(kinds.map(([kind]) => kind)).toEqual(['ours_only', 'twice', 'late']);
  expect(kinds[0]?.[1].map((d) => d.id)).toEqual(['3', '2']);
});
