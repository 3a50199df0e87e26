import type { Standing } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import { Sure } from './Proofs';
import './texts';

/** How far the standing can be relied on, and what it lacks. */
export function ConfidencePanel(props: { standing: Standing }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const s = props.standing;
  const reasons = s.confidence_reasons ?? [];
  return (
    <Panel title={t('how_sure')} className="sure">
      <p className="place-head">
        <Sure share={s.confidence} />
        {reasons.length === 0 && s.status === 'known' ? <span>{t('sure_all')}</span> : null}
      </p>
      {reasons.length ? (
        <ul className="node-reasons">
          {reasons.map((r) => (
            <li key={r}>{t(`sure_reasons.${r}`, { defaultValue: r })}</li>
          ))}
        </ul>
      ) : null}
      {s.contagion ? (
        <p>
          {t('contagion', { scenario: s.contagion.scenario, loss: f.percent1(s.contagion.loss) })}
        </p>
      ) : null}
    </Panel>
  );
}
