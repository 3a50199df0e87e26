import type { ReactNode } from 'react';

/**
 * A box that scrolls by itself and can be reached and moved with the keyboard; of limited
 * height unless it has a class of its own.
 */
export function Scroll(props: { label: string; className?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must take the focus to be scrolled by keys
    <section className={props.className ?? 'fw-scroll'} tabIndex={0} aria-label={props.label}>
      {props.children}
    </section>
  );
}
