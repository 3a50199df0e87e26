import type { LimitChange } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import './texts';
import './decision.css';

/** Every move of the limit since it was offered, the newest first, with its reasons. */
export function LimitChangesPanel(props: { changes: LimitChange[] }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  if (props.changes.length === 0) return null;
  return (
    <Panel title={t('changes.title')} flush>
      <ol className="reasons">
        {[...props.changes].reverse().map((c) => (
          <li key={c.at + c.to}>
            <b className="fw-num">
              {f.yuan0(c.from)} → {f.yuan0(c.to)}
            </b>{' '}
            <span className="fw-muted">
              {t(`changes.cause.${c.cause}`)} · {f.time(c.at)}
            </span>
            {(c.reasons ?? []).map((r) => (
              <div key={r.code + r.message}>{r.message || r.code}</div>
            ))}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
