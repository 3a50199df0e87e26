import type { Herd, OfficerHerdPage } from '@furrow/shared/api/types';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Panel } from '../pieces/Page';
import { animalPath } from './AnimalTable';
import { byHouse, healthOf, integrityOf, type Matter } from './findings';

const NAMED = 6;

/** What the animals' own baselines say of their health. */
export const HealthPanel = memo(function HealthPanel(props: { detail: OfficerHerdPage }) {
  const { t } = useTranslation('herds');
  const { herd, report, alerts } = props.detail;
  const matters = healthOf(report, alerts ?? []);
  const { judged } = report.health;
  return (
    <Panel title={t('health')} className="matters" flush>
      <Matters herd={herd} of={matters} />
      <p className="panel-note">
        {judged
          ? t(matters.length ? 'judged' : 'all_well', { count: judged, of: report.registered })
          : t(byHouse(herd.species) ? 'houses_not_judged' : 'nobody_judged')}
      </p>
    </Panel>
  );
});

/** What speaks against the tags themselves, in plain sentences. */
export const IntegrityPanel = memo(function IntegrityPanel(props: { detail: OfficerHerdPage }) {
  const { t } = useTranslation('herds');
  const { herd, report, alerts } = props.detail;
  const matters = integrityOf(report, alerts ?? []);
  return (
    <Panel title={t('integrity')} className="matters" flush>
      <Matters herd={herd} of={matters} />
      {matters.length ? null : <p className="panel-note">{t('no_doubts')}</p>}
    </Panel>
  );
});

function Matters(props: { herd: Herd; of: Matter[] }) {
  const { t } = useTranslation('herds');
  if (props.of.length === 0) return null;
  return (
    <ul className="findings">
      {props.of.map((m) => (
        <li key={m.kind} data-matter={m.kind}>
          <p>{t(`matter.${m.kind}`, { count: m.n })}</p>
          {m.alerts.length ? (
            <span className="matter-animals">
              {m.alerts.slice(0, NAMED).map((a) =>
                a.item && m.kind !== 'impostor' ? (
                  <Link key={a.id} to={animalPath(props.herd.id, a.item)}>
                    {a.label || a.item}
                  </Link>
                ) : (
                  <code key={a.id}>{a.label || a.item}</code>
                ),
              )}
              {m.n > Math.min(m.alerts.length, NAMED) ? (
                <span className="fw-muted">
                  {t('and_more', { count: m.n - Math.min(m.alerts.length, NAMED) })}
                </span>
              ) : null}
            </span>
          ) : null}
        </li>
      ))}
    </ul>
  );
}
