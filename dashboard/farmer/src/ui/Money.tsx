import { type ReactNode, useId } from 'react';

/** A field for an amount in yuan, with what is wrong with it under it. */
export function Money(props: {
  label: string;
  value: string;
  onChange(value: string): void;
  hint?: ReactNode;
  wrong?: string;
}) {
  const id = useId();
  const about = useId();
  return (
    <div className="f-money">
      <label htmlFor={id}>{props.label}</label>
      <span className={props.wrong ? 'f-input f-wrong' : 'f-input'}>
        <span aria-hidden="true">¥</span>
        <input
          id={id}
          inputMode="decimal"
          autoComplete="off"
          value={props.value}
          aria-invalid={props.wrong ? true : undefined}
          aria-describedby={about}
          onChange={(e) => props.onChange(e.target.value)}
        />
      </span>
      <p
        id={about}
        className={props.wrong ? 'f-error' : 'f-hint'}
        role={props.wrong ? 'alert' : undefined}
      >
        {props.wrong || props.hint}
      </p>
    </div>
  );
}
