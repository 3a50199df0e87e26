import type { ReactNode } from 'react';

export type Tone = 'go' | 'wait' | 'stop' | 'done';

/** A short word for a state, coloured by what it asks of the reader. */
export function Pill(props: { tone: Tone; children: ReactNode }) {
  return <span className={`f-pill f-${props.tone}`}>{props.children}</span>;
}
