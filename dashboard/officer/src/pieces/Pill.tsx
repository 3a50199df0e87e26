import type { ReactNode } from 'react';

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'calm';

/** A state in a word, with a colour that never speaks alone. */
export function Pill(props: { tone: Tone; children: ReactNode }) {
  return <span className={`pill pill-${props.tone}`}>{props.children}</span>;
}

const tones: Record<string, Tone> = {
  // applications
  submitted: 'info',
  deciding: 'info',
  offered: 'good',
  referred: 'warn',
  refused: 'bad',
  signed: 'good',
  active: 'good',
  closed: 'calm',
  withdrawn: 'calm',
  draft: 'calm',
  accepted: 'good',
  written_off: 'bad',
  expired: 'calm',
  // evidence
  known: 'good',
  low_confidence: 'warn',
  unknown: 'calm',
  // severities
  critical: 'bad',
  warning: 'warn',
  info: 'info',
  // decisions
  offer: 'good',
  refer: 'warn',
  refuse: 'bad',
  lower: 'warn',
  raise: 'good',
  // loans and instalments
  overdue: 'bad',
  drawing: 'info',
  paid: 'good',
  due: 'warn',
  future: 'calm',
  settled: 'good',
  failed: 'bad',
  normal: 'good',
  special_mention: 'warn',
  substandard: 'bad',
  doubtful: 'bad',
  loss: 'bad',
  // animals
  inside: 'good',
  outside: 'bad',
  unverified: 'warn',
  silent: 'calm',
  never_entered: 'calm',
  no_data: 'calm',
};

export const toneOf = (code: string): Tone => tones[code] ?? 'calm';
