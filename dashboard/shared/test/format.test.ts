import { describe, expect, test } from 'vitest';
import { formats } from '../src/format';

const zh = formats('zh-CN');
const en = formats('en');

describe('formats', () => {
  test('money is fen', () => {
    expect(zh.yuan(123456789)).toBe('¥1,234,567.89');
    expect(zh.yuan0(123456789)).toBe('¥1,234,568');
    expect(zh.yuanShort(123456789)).toBe('¥123.5万');
    expect(en.yuanShort(123456789)).toBe('¥1.2M');
    expect(zh.yuanShort(950_050)).toBe('¥9,501');
    expect(zh.yuan(-5)).toBe('¥-0.05');
    expect(zh.yuan(undefined)).toBe('—');
  });

  test('a mu is 10000/15 m²', () => {
    expect(zh.mu(10000)).toBe('15.00');
    expect(zh.mu(666.6667)).toBe('1.00');
  });

  test('a rate is 1e-8 of one', () => {
    expect(zh.rate(4_350_000)).toBe('4.35%');
    expect(zh.rate(0)).toBe('0.00%');
  });

  test('times are read in Shanghai', () => {
    expect(zh.date('2026-05-31T16:30:00Z')).toBe('2026/06/01');
    expect(zh.date('2026-05-31')).toBe('2026/05/31');
    const now = Date.parse('2026-12-31T15:00:00Z');
    expect(zh.time('2026-05-31T16:30:00Z', now)).toBe('06/01 00:30');
    expect(zh.time('2025-05-31T16:30:00Z', now)).toBe('2025/06/01 00:30');
    expect(en.date('2026-05-31')).toBe('2026-05-31');
    expect(zh.date('0001-01-01T00:00:00Z')).toBe('—');
    expect(zh.date('2026-02-30x')).toBe('—');
  });

  test('how long ago', () => {
    const now = Date.parse('2026-06-01T00:00:00Z');
    expect(zh.ago('2026-05-31T23:57:00Z', now)).toBe('3分钟前');
    expect(en.ago('2026-05-30T00:00:00Z', now)).toBe('2 days ago');
  });
});
