import type { OfficerPlotPage } from '@furrow/shared/api/types';
import { M2_PER_MU, useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { usePlots } from '../data';
import { Facts, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';

/** What is claimed against what was drawn and what was seen planted, and every doubt in words. */
export function AreaPanel(props: { detail: OfficerPlotPage }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const w = useWords();
  const { plot, report, overlaps } = props.detail;
  const others = usePlots().data;
  const seen = report?.area;
  const claimed = seen?.claimed_mu || plot.claimed_m2 / M2_PER_MU;
  const mu = (n: number) => `${f.decimal(n)} ${t('shared:unit.mu')}`;
  const doubts = seen?.findings ?? [];
  return (
    <Panel title={t('area_check')} className="area-check">
      <Facts
        rows={[
          [
            t('measured'),
            `${mu(plot.area_m2 / M2_PER_MU)} (${f.integer(plot.area_m2)} ${t('shared:unit.m2')})`,
          ],
          [t('claimed'), claimed > 0 ? mu(claimed) : t('nobody_claimed')],
          [
            t('planted'),
            seen?.known
              ? t('planted_of', { mu: mu(seen.planted_mu), share: f.percent(seen.planted_share) })
              : t('planted_unknown'),
          ],
        ]}
      />
      {doubts.length || overlaps?.length ? (
        <ul className="doubts">
          {doubts.map((d) => (
            <li key={d}>
              <Pill tone="warn">{t('doubt')}</Pill> {w.word('area_finding', d)}
            </li>
          ))}
          {(overlaps ?? []).map((o) => (
            <li key={o.plot_id}>
              <Pill tone="bad">{t('overlap')}</Pill>{' '}
              <Link to={`/plots/${o.plot_id}`}>
                {others?.find((l) => l.plot.id === o.plot_id)?.plot.name ?? o.plot_id}
              </Link>{' '}
              {t('overlap_of', { share: f.percent1(o.share), mu: f.mu(o.m2) })}
            </li>
          ))}
        </ul>
      ) : (
        <p className="fw-muted">{t('no_doubts')}</p>
      )}
    </Panel>
  );
}
