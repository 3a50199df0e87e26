import type { ClassSum } from '@furrow/shared/api/types';

export const CLASSES = ['normal', 'special_mention', 'substandard', 'doubtful', 'loss'] as const;
export const STAGES = [1, 2, 3];

export interface Sum {
  loans: number;
  outstanding: number;
  overdue: number;
  expected: number;
}

/** Sums those lines that match. */
export function sumOf(lines: ClassSum[], match: (line: ClassSum) => boolean): Sum {
  const sum = { loans: 0, outstanding: 0, overdue: 0, expected: 0 };
  for (const line of lines.filter(match)) {
    sum.loans += line.loans;
    sum.outstanding += line.outstanding;
    sum.overdue += line.overdue;
    sum.expected += line.expected_loss;
  }
  return sum;
}

/** Share of a part in a whole, 0 of nothing. */
export const shareOf = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
