import { type ReactNode, useId } from 'react';

/** A line to type into, with what is wrong with it, or how to fill it, under it. */
export function Field(props: {
  label: string;
  value: string;
  onChange(value: string): void;
  hint?: ReactNode;
  wrong?: string;
  type?: 'text' | 'date' | 'search';
  inputMode?: 'numeric' | 'text';
  max?: string;
  maxLength?: number;
  code?: boolean;
}) {
  const id = useId();
  const about = useId();
  return (
    <div className="f-field">
      <label htmlFor={id}>{props.label}</label>
      <span className={props.wrong ? 'f-input f-wrong' : 'f-input'}>
        <input
          id={id}
          className={props.code ? 'f-code' : undefined}
          type={props.type ?? 'text'}
          inputMode={props.inputMode}
          max={props.max}
          maxLength={props.maxLength}
          autoComplete="off"
          autoCapitalize={props.code ? 'characters' : undefined}
          spellCheck={false}
          value={props.value}
          aria-invalid={props.wrong ? true : undefined}
          aria-describedby={props.wrong || props.hint ? about : undefined}
          onChange={(e) => props.onChange(e.target.value)}
        />
      </span>
      {props.wrong || props.hint ? (
        <p
          id={about}
          className={props.wrong ? 'f-error' : 'f-hint'}
          role={props.wrong ? 'alert' : undefined}
        >
          {props.wrong || props.hint}
        </p>
      ) : null}
    </div>
  );
}
