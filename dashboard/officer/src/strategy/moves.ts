import type { Tone } from '../pieces/Pill';
import type { Move } from './data';

/** What can be done with a version by its status; the server knows who may. */
const moves: Record<string, Move[]> = {
  draft: ['submit'],
  in_review: ['approve', 'reject', 'recall'],
  approved: ['publish', 'challenge', 'observe'],
  challenger: ['publish', 'stop'],
  shadow: ['publish', 'challenge', 'stop'],
  retired: ['publish'],
};

export const movesFrom = (status: string): Move[] => moves[status] ?? [];

/** A version that decided before comes back: that is a roll-back. */
export const wordOf = (move: Move, status: string) =>
  move === 'publish' && status === 'retired' ? 'roll_back' : move;

export const toneOf: Record<string, Tone> = {
  draft: 'info',
  in_review: 'warn',
  approved: 'good',
  rejected: 'bad',
  champion: 'good',
  challenger: 'warn',
  shadow: 'info',
  retired: 'calm',
};
