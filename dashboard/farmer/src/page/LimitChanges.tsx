import type { LimitChange } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { Part } from '../ui/Screen';

/** How many moves of the limit are shown, the newest first. */
const SHOWN = 5;

/** When and why the limit moved. */
export function LimitChanges({ changes }: { changes: LimitChange[] }) {
  const { t } = useTranslation('answer');
  const f = useFormats();
  if (!changes.length) return null;
  return (
    <Part title={t('changes.title')}>
      <ol className="f-steps" data-testid="limit-changes">
        {changes
          .slice(-SHOWN)
          .reverse()
          .map((c) => (
            <li key={c.at + c.to}>
              <b>
                {t(c.to < c.from ? 'changes.lower' : 'changes.raise', {
                  from: f.yuan0(c.from),
                  to: f.yuan0(c.to),
                })}
              </b>
              <span className="f-hint">
                {t(`changes.cause.${c.cause}`)} · {f.time(c.at)}
              </span>
              {(c.reasons ?? []).map((r) => (
                <span key={r.code + r.message}>{r.message}</span>
              ))}
            </li>
          ))}
      </ol>
    </Part>
  );
}
