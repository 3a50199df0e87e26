import type { Application } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { partial, resumed } from '../src/apply/saving';

const kept = (more: Partial<Application>): Application => ({
  id: 'a1',
  user_id: 'u',
  user_name: '',
  subject: { kind: 'plot', id: '' },
  subject_name: '',
  product: '',
  asked: 0,
  term_months: 0,
  purpose: '',
  state: 'draft',
  limit: 0,
  rate: 0,
  created_at: '',
  updated_at: '',
  ...more,
});

test('only answers that are there go to the bank', () => {
  expect(partial({ step: 2, key: 'k', product: 'crop', yuan: '大概', purpose: ' ' })).toEqual({
    product: 'crop',
  });
  expect(partial({ step: 2, key: 'k', yuan: '2万', term: 6 })).toEqual({
    asked: 2_000_000,
    term_months: 6,
  });
});

test('a draft of the bank goes on at its first open question', () => {
  expect(resumed(kept({}), 'k')).toEqual({ step: 0, key: 'k', saved: 'a1' });
  const half = kept({ subject: { kind: 'plot', id: 'p' }, subject_name: '东地', product: 'crop' });
  expect(resumed(half, 'k')).toMatchObject({ step: 2, label: '东地', product: 'crop' });
  const whole = { ...half, asked: 2_000_050, term_months: 6, purpose: '种子' };
  expect(resumed(whole, 'k')).toMatchObject({ step: 4, yuan: '20000.5', term: 6 });
});
