import type { Tone } from '../pieces/Pill';

const tones: Record<string, Tone> = {
  proposed: 'warn',
  enrolled: 'good',
  suspended: 'bad',
  submitted: 'info',
  confirmed: 'info',
  delivered: 'good',
  paying: 'info',
  paid: 'good',
  refunding: 'warn',
  refunded: 'calm',
  settled: 'good',
  failed: 'bad',
  unknown: 'warn',
  open: 'bad',
  resolved: 'good',
};

/** The colour of a state of sellers, orders, payments and differences. */
export const stateTone = (state: string): Tone => tones[state] ?? 'calm';
