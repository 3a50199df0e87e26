import { useSearchParams } from 'react-router';

/** A value that lives in the address, so that Back and a copied link keep it. */
export function useParam(name: string): [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = (value: string) =>
    setParams(
      () => {
        // Of the address and not of the last render: two changes may come before the next.
        const next = new URLSearchParams(window.location.search);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  return [params.get(name) ?? '', set];
}

/** One choice of a few, as a row of toggles. */
export function Choice(props: {
  label: string;
  value: string;
  options: { value: string; text: string; count?: number }[];
  onChange(value: string): void;
}) {
  return (
    <fieldset className="choice">
      <legend className="sr-only">{props.label}</legend>
      {props.options.map((o) => (
        <button
          key={o.value}
          type="button"
          aria-pressed={o.value === props.value}
          onClick={() => props.onChange(o.value)}
        >
          {o.text}
          {o.count !== undefined ? <b>{o.count}</b> : null}
        </button>
      ))}
    </fieldset>
  );
}
