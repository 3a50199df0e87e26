import { useFormats } from '@furrow/shared/format';

/** A person and when, the time beneath. */
export function Who({ name, at }: { name: string; at: string }) {
  const f = useFormats();
  return (
    <>
      {name}
      <small className="under nowrap">{f.time(at)}</small>
    </>
  );
}
