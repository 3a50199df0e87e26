import { useId } from 'react';

/** A day that a reader may choose or leave open. */
export function Day(props: {
  label: string;
  value: string;
  type?: 'date' | 'month';
  onChange(day: string): void;
}) {
  const id = useId();
  return (
    <label htmlFor={id} className="book-field">
      {props.label}
      <input
        id={id}
        type={props.type ?? 'date'}
        value={props.value}
        onChange={(e) => props.onChange(e.target.value)}
      />
    </label>
  );
}
