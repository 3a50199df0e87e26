import type { Reason } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import './texts';
import './decision.css';

/** What would raise the limit, the most first. */
export function RaisesPanel(props: { raises: Reason[] }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  if (props.raises.length === 0) return null;
  return (
    <Panel title={t('raises')} flush>
      <ol className="reasons">
        {props.raises.map((r) => (
          <li key={r.code} className="raise-row">
            <span>{r.message || r.code}</span>
            <b className="fw-num">{r.amount ? `+${f.yuan0(r.amount)}` : ''}</b>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
