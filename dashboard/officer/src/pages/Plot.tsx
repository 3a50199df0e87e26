import type { CropReport, DateRange, OfficerPlotPage } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { CompareMap } from '@furrow/shared/map/CompareMap';
import { type Bounds, boundsOfPolygons, grown } from '@furrow/shared/map/geometry';
import { grades } from '@furrow/shared/portrait';
import { Portrait } from '@furrow/shared/ui/Portrait';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { usePlot, usePlots } from '../data';
import { AlertList } from '../pieces/AlertList';
import { ImageryTools } from '../pieces/ImageryTools';
import { Legend } from '../pieces/Legend';
import { Facts, Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { useImagery } from '../pieces/useImagery';
import { AreaPanel } from '../plot/AreaPanel';
import { GrowthPanel } from '../plot/GrowthPanel';
import { HazardPanel } from '../plot/HazardPanel';
import { WorthPanel } from '../plot/WorthPanel';

/** A plot as the satellites tell it. */
export function PlotPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('plot');
  const w = useWords();
  const query = usePlot(id);
  const d = query.data;
  return (
    <Page
      title={d?.plot.name ?? t('one')}
      crumbs={[{ to: '/map', text: t('map:title') }]}
      lead={
        d ? (
          <>
            <span>{d.plot.owner_name}</span>
            {d.report ? (
              <Pill tone={toneOf(d.report.status)}>{w.word('status', d.report.status)}</Pill>
            ) : null}
            {d.report?.reason ? <span>{w.why(d.report.reason)}</span> : null}
            {d.application_id ? (
              <Link to={`/applications/${d.application_id}`}>{t('pledged')}</Link>
            ) : null}
          </>
        ) : null
      }
    >
      <Await query={query} lines={12}>
        {(detail) => <Body detail={detail} />}
      </Await>
    </Page>
  );
}

function Body(props: { detail: OfficerPlotPage }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const w = useWords();
  const { plot, report, alerts } = props.detail;
  const growth = grades(report?.growth);
  return (
    <>
      <Figures
        items={[
          {
            name: t('area'),
            value: `${f.mu(plot.area_m2)} ${t('shared:unit.mu')}`,
            note: report?.area?.known
              ? t('planted_note', { share: f.percent(report.area.planted_share) })
              : `${f.integer(plot.area_m2)} ${t('shared:unit.m2')}`,
          },
          {
            name: t('crop'),
            value: report ? w.crop(report.crop) : w.crop(undefined),
            note: report
              ? t('sure', { share: f.percent(report.confidence) })
              : t('declared_as', { crop: w.crop(plot.crop) }),
          },
          {
            name: t('growth'),
            value: growth ? w.word('grade', String(growth.grade)) : f.date(undefined),
            note: growth
              ? t('grade_note', { grade: growth.grade })
              : t('vigour_note', { share: f.percent(report?.vigour) }),
          },
          {
            name: t('worth'),
            value: f.yuanShort(report?.worth?.middle),
            note: report?.worth
              ? t('prudent_short', { yuan: f.yuanShort(report.worth.prudent) })
              : t('no_worth'),
          },
          {
            name: t('clear'),
            value: report ? `${report.clear_dates} / ${report.total_dates}` : f.integer(undefined),
            note: t('last_clear', { date: f.date(report?.last_clear) }),
          },
        ]}
      />
      <div className="split">
        <div>
          <GrowthPanel report={report} />
          <HazardPanel plot={plot} report={report} />
          <Ground detail={props.detail} />
        </div>
        <div>
          {report ? (
            <Panel title={t('portrait')} className="portrait">
              <Portrait report={report} />
              <Seen report={report} declared={plot.crop} />
            </Panel>
          ) : null}
          <AreaPanel detail={props.detail} />
          {report?.worth ? <WorthPanel worth={report.worth} /> : null}
          {report ? <HowSure report={report} /> : null}
          <Panel title={t('alerts')} flush>
            <AlertList alerts={alerts ?? []} empty={t('no_alerts')} />
          </Panel>
          <Panel title={t('register')}>
            <Facts
              rows={[
                [t('owner'), plot.owner_name],
                [t('region'), plot.region || f.date(undefined)],
                [t('source'), `${plot.source} ${plot.source_crs}`],
                [t('since'), f.date(plot.created_at)],
              ]}
            />
          </Panel>
        </div>
      </div>
    </>
  );
}

/** The dates behind the portrait, with their errors. */
function Seen(props: { report: CropReport; declared: string }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const w = useWords();
  const { report } = props;
  const { sown, harvested, start, peak, end, peak_ndvi, stage } = report.phenology;
  const ranged = (r: DateRange | undefined) =>
    r
      ? t('dated', { date: f.date(r.date), from: f.date(r.from), to: f.date(r.to) })
      : t('not_seen');
  return (
    <Facts
      rows={[
        [t('declared'), w.crop(report.declared || props.declared)],
        [t('sown'), ranged(sown)],
        [t('season_curve'), `${f.date(start)} – ${f.date(end)}`],
        [t('peak'), `${f.date(peak)}  ${f.decimal(peak_ndvi)}`],
        [t('stage'), w.word('stage', stage) || t('not_seen')],
        [t('harvested'), ranged(harvested)],
      ]}
    />
  );
}

/** How far the report may be trusted, and why not further. */
function HowSure(props: { report: CropReport }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const w = useWords();
  const { report } = props;
  const reasons = (report.reason ?? '').split(',').filter(Boolean);
  return (
    <Panel title={t('how_sure')} className="how-sure">
      <p>
        <Pill tone={toneOf(report.status)}>{w.word('status', report.status)}</Pill>{' '}
        {reasons.length ? t('because') : t('no_reservations')}
      </p>
      {reasons.length ? (
        <ul className="doubts">
          {reasons.map((r) => (
            <li key={r}>{w.word('why', r.trim())}</li>
          ))}
        </ul>
      ) : null}
      <Facts
        rows={[
          [t('season'), `${f.date(report.season.start)} – ${f.date(report.season.end)}`],
          [
            t('guesses'),
            (report.guesses ?? [])
              .slice(0, 3)
              .map((g) => `${w.crop(g.crop)} ${f.percent(g.probability)}`)
              .join(' · ') || f.date(undefined),
          ],
          [t('pixels'), f.integer(report.full_pixels)],
          [t('sources'), (report.sources ?? []).join(', ')],
          [t('method'), report.method],
          [t('made'), f.time(report.made_at)],
        ]}
      />
    </Panel>
  );
}

/** The plot on imagery of a chosen day, with its neighbours and what overlaps it. */
function Ground(props: { detail: OfficerPlotPage }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const { plot, overlaps } = props.detail;
  const others = usePlots().data;
  const imagery = useImagery();
  const clash = useMemo(() => new Set((overlaps ?? []).map((o) => o.plot_id)), [overlaps]);
  const areas = useMemo(
    () => [
      ...(others ?? [])
        .filter((l) => l.plot.id !== plot.id)
        .map((l) => ({
          id: l.plot.id,
          polygon: l.plot.polygon,
          color: clash.has(l.plot.id) ? '#b3432b' : '#f4efe0',
          fill: clash.has(l.plot.id) ? 0.25 : 0,
        })),
      {
        id: plot.id,
        polygon: plot.polygon,
        color: '#ffd34d',
        fill: imagery.name === 'truecolor' ? 0.08 : 0,
      },
    ],
    [others, plot, clash, imagery.name],
  );
  const bounds = useMemo<Bounds | undefined>(() => {
    const box = boundsOfPolygons([plot.polygon]);
    return box && grown(box, 0.5);
  }, [plot]);
  const present = useMemo(
    () => new Set([...(others ?? []).flatMap((l) => [l.crop, ...(l.hazards ?? [])]), 'unknown']),
    [others],
  );
  return (
    <Panel
      title={t('ground')}
      flush
      extra={
        <div className="fw-row">
          <ImageryTools of={imagery} small />
        </div>
      }
    >
      <CompareMap
        className="map-mid"
        label={t('map_label', { name: plot.name })}
        areas={areas}
        bounds={bounds}
        imagery={imagery.picture}
        name={f.date(imagery.date)}
        other={
          imagery.with ? { imagery: imagery.otherPicture, name: f.date(imagery.with) } : undefined
        }
      />
      {imagery.layer ? <Legend layer={imagery.layer} only={present} /> : null}
    </Panel>
  );
}
