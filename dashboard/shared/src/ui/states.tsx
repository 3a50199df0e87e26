import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/problem';

/** Grey lines while something is on its way. */
export function Loading(props: { lines?: number }) {
  const { t } = useTranslation();
  const lines = Array.from({ length: props.lines ?? 5 }, (_, i) => i);
  return (
    <div className="fw-loading" role="status" aria-label={t('state.loading')}>
      {lines.map((i) => (
        <span key={i} style={{ width: `${92 - ((i * 37) % 48)}%` }} />
      ))}
    </div>
  );
}

/** Says that there is nothing, and what to do next. */
export function Empty(props: { text?: string; children?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <div className="fw-empty">
      <svg width="64" height="40" viewBox="0 0 64 40" aria-hidden="true">
        <path d="M2 34 Q32 18 62 34" stroke="currentColor" fill="none" strokeWidth="1.5" />
        <path
          d="M12 38 Q24 28 28 24 M32 39 V23 M52 38 Q40 28 36 24"
          stroke="currentColor"
          fill="none"
          strokeWidth="1.5"
          opacity="0.6"
        />
      </svg>
      <p>{props.text ?? t('state.empty')}</p>
      {props.children}
    </div>
  );
}

/**
 * What went wrong, in the server's words where it gave some, with the request id to
 * name when asking for help.
 */
export function Problem(props: { error: unknown; compact?: boolean; onRetry?: () => void }) {
  const { t } = useTranslation();
  const e = props.error instanceof ApiError ? props.error : null;
  const text = e?.detail || t(e?.code === 'network' ? 'problem.network' : 'problem.unexpected');
  return (
    <div className={props.compact ? 'fw-problem fw-compact' : 'fw-problem'} role="alert">
      {props.compact ? null : <strong>{t('problem.title')}</strong>}
      <p>{text}</p>
      {e?.items.length ? (
        <ul>
          {e.items.map((item) => (
            <li key={`${item.location}${item.message}`}>
              {item.location ? <code>{item.location}</code> : null} {item.message}
            </li>
          ))}
        </ul>
      ) : null}
      {props.onRetry || (e?.requestId && !props.compact) ? (
        <p className="fw-row">
          {props.onRetry ? (
            <button type="button" className="fw-button" onClick={props.onRetry}>
              {t('problem.retry')}
            </button>
          ) : null}
          {e?.requestId ? (
            <small className="fw-muted">{t('problem.request', { id: e.requestId })}</small>
          ) : null}
        </p>
      ) : null}
    </div>
  );
}

interface QueryLike<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch(): unknown;
}

/** Shows a query in the state it is in: loading, failed, or its data. */
export function Await<T>(props: {
  query: QueryLike<T>;
  lines?: number;
  children(data: T): ReactNode;
}) {
  const { query } = props;
  if (query.data !== undefined) return <>{props.children(query.data)}</>;
  if (query.error) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  return <Loading lines={props.lines} />;
}
