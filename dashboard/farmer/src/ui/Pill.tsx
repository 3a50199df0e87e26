import type { ReactNode } from 'react';

/** A short word for a state, coloured by what it asks of the reader. */
export function Pill(props: { tone: 'go' | 'wait' | 'stop' | 'done'; children: ReactNode }) {
  return <span className={`f-pill f-${props.tone}`}>{props.children}</span>;
}
