import type { CropReport, Hazard, Rings } from '@furrow/shared/api/types';
import { NdviChart } from '@furrow/shared/chart/NdviChart';
import { useFormats } from '@furrow/shared/format';
import { dayOf, grades } from '@furrow/shared/portrait';
import { GradeScale } from '@furrow/shared/ui/GradeScale';
import { Portrait } from '@furrow/shared/ui/Portrait';
import { Await, Loading } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { lazy, Suspense, useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { usePlot } from '../data';
import { Outline } from '../ui/Outline';
import { Facts, Part, Screen } from '../ui/Screen';

// The map is the heaviest part of the face; the pictures come when somebody wants them.
const BeforeAfter = lazy(() => import('@furrow/shared/map/BeforeAfter'));

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
                <Seen report={report} polygon={p.polygon} />
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

function Seen({ report: r, polygon }: { report: CropReport; polygon: Rings }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const words = useWords();
  const hazardName = useCallback((kind: string) => words.word('hazard', kind), [words]);
  const reasonName = useCallback((reason: string) => words.word('observation', reason), [words]);
  const known = r.status !== 'unknown' && r.crop !== '';
  const growing = known && r.crop !== 'fallow';
  const graded = grades(r.growth);
  return (
    <>
      <p className="f-sentence">
        {!known
          ? t('unknown_plain')
          : r.crop === 'fallow'
            ? t('seen_fallow')
            : t('seen', { crop: words.crop(r.crop), share: f.percent(r.confidence) })}{' '}
        {growing && !graded && r.vigour
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
      {r.area?.known ? (
        <p>
          {t('planted', {
            mu: f.decimal(r.area.planted_mu, 1),
            share: f.percent(r.area.planted_share),
          })}
        </p>
      ) : null}
      {r.worth ? (
        <p>{t('worth', { low: f.yuan0(r.worth.low), high: f.yuan0(r.worth.high) })}</p>
      ) : null}
      {r.hazards?.length ? (
        <>
          <h3>{t('hazards')}</h3>
          {r.hazards.map((h) => (
            <Befell key={h.kind + h.start} hazard={h} report={r} polygon={polygon} />
          ))}
        </>
      ) : null}
      {growing ? (
        <>
          <h3>{t('season')}</h3>
          <Portrait report={r} className="f-portrait" />
          <h3>{t('growth')}</h3>
          <GradeScale growth={r.growth} />
        </>
      ) : null}
      <NdviChart report={r} hazardName={hazardName} reasonName={reasonName} height={200} />
      <p className="f-hint">
        {t('clear_dates', { total: r.total_dates, clear: r.clear_dates })}
        {r.last_clear ? ` · ${t('last_clear', { date: f.date(r.last_clear) })}` : ''}
      </p>
    </>
  );
}

/** One thing that befell the plot; its pictures come when they are asked for. */
function Befell({
  hazard: h,
  report,
  polygon,
}: {
  hazard: Hazard;
  report: CropReport;
  polygon: Rings;
}) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const words = useWords();
  const [open, setOpen] = useState(false);
  const kind = words.word('hazard', h.kind);
  const causes = (h.candidates ?? []).map((c) => words.word('candidate', c));
  const look = (id: string) => ({ id, date: dayOf(report, id) });
  return (
    <div className="f-befell" data-hazard={h.kind}>
      <p className="f-error">
        {t('befell', {
          kind,
          start: f.date(h.start),
          end: f.date(h.end),
          share: f.percent(h.share),
          sure: f.percent(h.confidence),
        })}{' '}
        {causes.length ? t('maybe', { list: causes.join(t('list_comma')) }) : ''}
      </p>
      {h.before && h.after ? (
        <>
          <button
            type="button"
            className="fw-button f-big"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            {t(open ? 'pictures_hide' : 'pictures')}
          </button>
          {open ? (
            <Suspense fallback={<Loading lines={3} />}>
              <BeforeAfter
                className="f-pair"
                polygon={polygon}
                before={look(h.before)}
                after={look(h.after)}
                layer="truecolor"
                what={kind}
              />
            </Suspense>
          ) : null}
        </>
      ) : null}
    </div>
  );
}
