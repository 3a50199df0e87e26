import type { Product, Wording } from '@furrow/shared/api/types';
import { expect, test } from 'vitest';
import { answers, asked } from '../src/apply/consent';

const word = (part: string, separate = false): Wording => ({
  part,
  purpose: 'credit_decision',
  version: '1',
  separate,
  text: { 'zh-CN': `同意${part}`, en: `agree ${part}` },
  hash: { 'zh-CN': `${part}-zh`, en: `${part}-en` },
});
const wordings = [
  ...['decision', 'crop', 'herd', 'standing'].map((p) => word(p)),
  ...['bureau', 'bank'].map((p) => word(p, true)),
];
const product = (change: Partial<Product>) => ({ subject_kind: 'firm', ...change }) as Product;

test('only what the product reads is asked, the sensitive by itself', () => {
  const of = asked(
    product({ evidence: [{ part: 'standing' }, { part: 'turnover' }, { part: 'bank' }] }),
    wordings,
  );
  expect(of.together.map((w) => w.part)).toEqual(['decision', 'standing']);
  expect(of.apart.map((w) => w.part)).toEqual(['bank']);
  expect(answers(of, [], 'en')).toEqual([
    { part: 'decision', text: 'decision-en' },
    { part: 'standing', text: 'standing-en' },
  ]);
  expect(answers(of, ['bank'], 'zh-CN').at(-1)).toEqual({ part: 'bank', text: 'bank-zh' });
});

test('a product that names no evidence reads its subject', () => {
  const of = asked(product({ subject_kind: 'herd' }), wordings);
  expect(of.together.map((w) => w.part)).toEqual(['decision', 'herd']);
});
