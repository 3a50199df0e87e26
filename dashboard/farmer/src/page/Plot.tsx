import type { CropReport } from '@furrow/shared/api/types';
import { NdviChart } from '@furrow/shared/chart/NdviChart';
import { useFormats } from '@furrow/shared/format';
import { Await, Loading } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { usePlot } from '../data';
import { Outline } from '../ui/Outline';
import { Facts, Part, Screen } from '../ui/Screen';

/** One plot: its shape, and what satellites see there in a sentence and a curve. */
export default function Plot() {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const { id = '' } = useParams();
  const plot = usePlot(id);
  const words = useWords();
  return (
    <Screen title={plot.data?.plot.name ?? t('title')} back="/">
      <Await query={plot} lines={8}>
        {({ plot: p, report }) => (
          <>
            <div className="f-summary">
              <Outline polygon={p.polygon} size={88} label={t('outline')} />
              <Facts
                of={[
                  [t('area'), `${f.mu(p.area_m2)} ${t('shared:unit.mu')}`],
                  [t('declared'), p.crop ? words.crop(p.crop) : t('crop_none')],
                  [t('registered_at'), f.date(p.created_at)],
                ]}
              />
            </div>
            <Link className="fw-button fw-primary f-big" to="/apply">
              {t('apply_now')}
            </Link>
            <Part title={t('overview')}>
              {report ? (
                <Seen report={report} />
              ) : (
                <>
                  <p>{t('waiting')}</p>
                  <Loading lines={2} />
                </>
              )}
            </Part>
          </>
        )}
      </Await>
    </Screen>
  );
}

/** Vigour against the usual of the crop: from here on it is better or worse. */
const BETTER = 1.1;
const WORSE = 0.85;

function Seen({ report: r }: { report: CropReport }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const words = useWords();
  const hazardName = useCallback((kind: string) => words.word('hazard', kind), [words]);
  const reasonName = useCallback((reason: string) => words.word('observation', reason), [words]);
  const known = r.status !== 'unknown' && r.crop !== '';
  return (
    <>
      <p className="f-sentence">
        {!known
          ? t('unknown_plain')
          : r.crop === 'fallow'
            ? t('seen_fallow')
            : t('seen', { crop: words.crop(r.crop), share: f.percent(r.confidence) })}{' '}
        {known && r.crop !== 'fallow' && r.vigour
          ? t(
              r.vigour >= BETTER
                ? 'vigour_good'
                : r.vigour <= WORSE
                  ? 'vigour_weak'
                  : 'vigour_usual',
            )
          : ''}
      </p>
      {known && r.declared && r.declared !== r.crop ? (
        <p className="f-note">{t('differs', { crop: words.crop(r.declared) })}</p>
      ) : null}
      {(r.hazards ?? []).map((h) => (
        <p className="f-error" key={h.kind + h.start}>
          {t('hazard', {
            kind: hazardName(h.kind),
            start: f.date(h.start),
            end: f.date(h.end),
            share: f.percent(h.share),
          })}
        </p>
      ))}
      {r.worth ? (
        <p>{t('worth', { low: f.yuan0(r.worth.low), high: f.yuan0(r.worth.high) })}</p>
      ) : null}
      <NdviChart report={r} hazardName={hazardName} reasonName={reasonName} height={200} />
      <p className="f-hint">
        {t('clear_dates', { total: r.total_dates, clear: r.clear_dates })}
        {r.last_clear ? ` · ${t('last_clear', { date: f.date(r.last_clear) })}` : ''}
      </p>
    </>
  );
}
