import type { CropReport } from '@furrow/shared/api/types';
import { NdviChart } from '@furrow/shared/chart/NdviChart';
import { useFormats } from '@furrow/shared/format';
import { GradeScale } from '@furrow/shared/ui/GradeScale';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';

/** How the crop stands: its grade, its curve on the band of its peers, its own past years. */
export function GrowthPanel(props: { report: CropReport | undefined }) {
  const { t } = useTranslation('plot');
  const w = useWords();
  const { report } = props;
  const hazardName = useCallback((kind: string) => w.word('hazard', kind), [w]);
  const reasonName = useCallback((reason: string) => w.word('observation', reason), [w]);
  return (
    <Panel title={t('growth')} className="growth">
      {report ? (
        <>
          <GradeScale growth={report.growth} />
          <NdviChart report={report} hazardName={hazardName} reasonName={reasonName} />
          <Past years={report.growth?.past ?? []} />
        </>
      ) : (
        <Empty text={t('no_report')} />
      )}
    </Panel>
  );
}

function Past(props: { years: NonNullable<CropReport['growth']>['past'] }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  if (props.years.length === 0) return <p className="fw-muted">{t('no_past')}</p>;
  return (
    <Scroll label={t('past')}>
      <table className="fw-table">
        <caption>{t('past')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('year')}</th>
            <th scope="col" className="fw-num">
              {t('peak_ndvi')}
            </th>
            <th scope="col" className="fw-num">
              {t('change')}
            </th>
          </tr>
        </thead>
        <tbody>
          {props.years.map((y) => (
            <tr key={y.year}>
              <td>{y.year}</td>
              <td className="fw-num">{f.decimal(y.peak_ndvi)}</td>
              <td className="fw-num">
                {y.change > 0 ? '+' : ''}
                {f.decimal(y.change)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
