import type { Product, Wording } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { onPaper, partsOf } from '../src/bring/data';
import { rowErrors } from '../src/bring/remark';

const wording = (part: string, separate = false) =>
  ({
    part,
    separate,
    purpose: 'credit_decision',
    hash: { 'zh-CN': `${part}-zh`, en: `${part}-en` },
  }) as unknown as Wording;
const wordings = [
  wording('decision'),
  wording('standing'),
  wording('bureau', true),
  wording('herd'),
];
const product = {
  subject_kind: 'firm',
  evidence: [{ part: 'turnover' }, { part: 'bureau', optional: true }],
} as unknown as Product;

test('a firm opens what its product reads, the bureau by itself', () =>
  expect(partsOf(product, wordings)).toEqual({ must: ['decision', 'standing'], may: ['bureau'] }));

test('what is agreed on paper has its number and the beginning of its day in China', () => {
  const paper = { proof: 'SQ-1', day: '2026-05-31' };
  const at = '2026-05-30T16:00:00.000Z';
  expect(onPaper(product, wordings, [], paper)).toEqual([
    { part: 'decision', text: 'decision-zh', proof: 'SQ-1', at },
    { part: 'standing', text: 'standing-zh', proof: 'SQ-1', at },
  ]);
  expect(onPaper(product, wordings, ['bureau'], paper)).toHaveLength(3);
});

test('a remark on a cell is a mistake in its row and column', () =>
  expect(
    rowErrors(
      [{ cell: 'AB12', column: 'asked', code: 'x', why: 'w', args: { value: '-1' } }],
      (field) => `<${field}>`,
    ),
  ).toEqual([
    {
      row: 12,
      cell: 'AB12',
      column: '<asked>',
      value: '-1',
      code: 'x',
      message: 'w',
      args: { value: '-1' },
    },
  ]));
