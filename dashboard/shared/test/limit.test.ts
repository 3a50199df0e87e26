import { describe, expect, test } from 'vitest';
import type { Decision, Reason } from '../src/api/types';
import { limitSteps } from '../src/limit';

const reason = (code: string, effect: string, amount: number): Reason => ({
  code,
  effect,
  amount,
  message: `said of ${code}`,
});
const decision = (limit: number, reasons: Reason[]) => ({ limit, reasons }) as Decision;

describe('the steps of a limit', () => {
  const told = [
    reason('unsure', 'refer', 0),
    reason('advance', 'lower', -600_000),
    reason('steady', 'lower', -900_000),
    reason('fine', 'raise', 100_000),
    reason('asked', 'info', -50_000),
    reason('base', 'info', 2_000_000),
    reason('rate', 'info', 0),
  ];

  test('lead from the base over raises and cuts to the limit', () => {
    const steps = limitSteps(decision(540_000, told));
    expect(steps.map((s) => [s.code, s.from, s.to])).toEqual([
      ['base', 0, 2_000_000],
      ['fine', 2_000_000, 2_100_000],
      ['steady', 2_100_000, 1_200_000],
      ['advance', 1_200_000, 600_000],
      ['asked', 600_000, 550_000],
      ['round', 550_000, 540_000],
    ]);
  });

  test('are none when they lead elsewhere, and for a limit of nothing', () => {
    expect(limitSteps(decision(900_000, told))).toEqual([]);
    expect(limitSteps(decision(200_000, told))).toEqual([]);
    expect(limitSteps(decision(0, told))).toEqual([]);
    expect(limitSteps(decision(2_000_000, [reason('base', 'info', 2_000_000)]))).toEqual([]);
  });
});
