import { describe, expect, test } from 'vitest';
import { CENTRE, RIM, RINGS, safety } from '../src/decision/radar';

describe('the picture of scores', () => {
  test('has the safest at its rim and the worst at its centre', () => {
    expect(safety(RIM)).toBe(1);
    expect(safety(0)).toBe(1);
    expect(safety(CENTRE)).toBe(0);
    expect(safety(0.9)).toBe(0);
  });

  test('never shows more risk further out', () => {
    const at = RINGS.map(safety);
    expect([...at].sort((a, b) => a - b)).toEqual(at);
    expect(at.every((r) => r > 0 && r < 1)).toBe(true);
  });
});
