import type { OfficerHerdPage } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { Facts, Panel } from '../pieces/Page';
import { byHouse } from './findings';

/** How the value was reached, class by class, and who counts and listens. */
export const BasisPanel = memo(function BasisPanel(props: { detail: OfficerHerdPage }) {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const w = useWords();
  const { report, devices } = props.detail;
  const of = (kind: string) =>
    (devices ?? [])
      .filter((d) => d.kind === kind && !d.revoked)
      .map((d) => d.id)
      .join(', ');
  const terms = report.terms ?? [];
  return (
    <Panel title={t('basis')} className="basis">
      {terms.length === 0 ? <p className="fw-muted">{t('no_terms')}</p> : null}
      {terms.map((v) => (
        <div className="part" key={`${v.species}/${v.class}`}>
          <h3>
            {t(byHouse(v.species) ? 'class_birds' : 'class_heads', {
              name: `${w.word('species', v.species)} · ${w.word('market', v.class)}`,
              count: v.heads,
              n: f.integer(v.heads),
            })}
          </h3>
          <p>
            {v.price_fen_per_head
              ? t('reckoned_head', { price: f.yuan(v.price_fen_per_head) })
              : t('reckoned_kg', { kg: f.integer(v.kg), price: f.yuan(v.price_fen_per_kg) })}
            {v.unborn ? t('reckoned_unborn', { yuan: f.yuan0(v.unborn) }) : ''}
            {t('reckoned_less', {
              mortality: f.percent1(v.mortality_bp / 1e4),
              haircut: f.percent1(v.haircut_bp / 1e4),
            })}
          </p>
          <p className="fw-muted">
            {v.weighed
              ? t(byHouse(v.species) ? 'weighed_houses' : 'weighed', { count: v.weighed })
              : t('none_weighed')}{' '}
            {t(v.price_region ? 'price_of_region' : 'price_of_country', {
              region: v.price_region,
              date: f.date(v.price_date),
            })}
          </p>
        </div>
      ))}
      <Facts
        rows={[
          [t('heard'), report.last_heard ? f.ago(report.last_heard) : t('never')],
          [t('gateways'), of('gateway') || t('none_of')],
          [t('cameras'), [of('camera'), of('gate')].filter(Boolean).join(', ') || t('none_of')],
          [t('made'), f.time(report.made_at)],
          [t('method'), report.method],
        ]}
      />
    </Panel>
  );
});
