import { type ReactNode, useId } from 'react';

export interface Option<T> {
  value: T;
  label: ReactNode;
  hint?: ReactNode;
  off?: boolean;
}

/** One of several, as big buttons: radio buttons underneath, so keys and readers work. */
export function Choice<T extends string | number>(props: {
  label: string;
  hideLabel?: boolean;
  options: Option<T>[];
  value: T | undefined;
  onChange(value: T): void;
  columns?: number;
}) {
  const name = useId();
  return (
    <fieldset className="f-choice" style={{ '--columns': props.columns ?? 1 } as never}>
      <legend className={props.hideLabel ? 'f-hidden' : undefined}>{props.label}</legend>
      <div>
        {props.options.map((o) => (
          <label key={o.value} className={o.off ? 'f-option f-off' : 'f-option'}>
            <input
              type="radio"
              name={name}
              checked={props.value === o.value}
              disabled={o.off}
              onChange={() => props.onChange(o.value)}
            />
            <span>
              <b>{o.label}</b>
              {o.hint ? <small>{o.hint}</small> : null}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
