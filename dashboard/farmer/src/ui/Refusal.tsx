import { ApiError } from '@furrow/shared/api/problem';
import { Problem } from '@furrow/shared/ui/states';

/**
 * Why the server did not take a form, in its own words; the names of fields that it
 * gives for machines are left out.
 */
export function Refusal(props: { error: unknown }) {
  const { error } = props;
  if (!error) return null;
  if (!(error instanceof ApiError) || !error.detail) return <Problem compact error={error} />;
  const more = error.items.map((i) => i.message).filter((m) => m && m !== error.detail);
  return (
    <div className="f-error" role="alert" data-code={error.code}>
      {error.detail}
      {more.map((m) => (
        <div key={m}>{m}</div>
      ))}
    </div>
  );
}
