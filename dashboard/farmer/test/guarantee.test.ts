import { expect, test } from 'vitest';
import { stateOf } from '../src/lending/guarantee';

const me = { nr: 1, name: 'li' };
const at = '2026-09-15T02:00:00Z';

test.each([
  ['the borrower has not signed', 'offered', false, me, 'waits'],
  ['the borrower has', 'accepted', true, me, 'ready'],
  ['others have not signed yet', 'accepted', true, { ...me, signed_at: at }, 'signed'],
  ['the loan runs', 'active', false, { ...me, signed_at: at }, 'signed'],
  ['said no', 'referred', false, { ...me, declined_at: at }, 'declined'],
  ['repaid', 'closed', false, { ...me, signed_at: at }, 'over'],
  ['nothing came of it', 'expired', false, me, 'over'],
] as const)('%s', (_, state, ready, guarantor, want) => {
  expect(stateOf({ state, ready, guarantor })).toBe(want);
});
