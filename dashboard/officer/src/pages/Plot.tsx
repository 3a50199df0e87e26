import type { Hazard, OfficerPlotPage } from '@furrow/shared/api/types';
import { NdviChart } from '@furrow/shared/chart/NdviChart';
import { useFormats } from '@furrow/shared/format';
import { type Bounds, boundsOfPolygons, grown } from '@furrow/shared/map/geometry';
import { MapView } from '@furrow/shared/map/MapView';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Select } from 'antd';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { usePlot, usePlots } from '../data';
import { AlertList } from '../pieces/AlertList';
import { EvidenceList } from '../pieces/EvidenceList';
import { Choice } from '../pieces/Filter';
import { NdviLegend } from '../pieces/NdviLegend';
import { Facts, Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { useImagery } from '../pieces/useImagery';

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
  const hazardName = useCallback((kind: string) => w.word('hazard', kind), [w]);
  const reasonName = useCallback((reason: string) => w.word('observation', reason), [w]);
  return (
    <>
      <Figures
        items={[
          {
            name: t('area'),
            value: `${f.mu(plot.area_m2)} ${t('shared:unit.mu')}`,
            note: `${f.integer(plot.area_m2)} ${t('shared:unit.m2')}`,
          },
          {
            name: t('crop'),
            value: report ? w.crop(report.crop) : w.crop(undefined),
            note: report
              ? t('sure', { share: f.percent(report.confidence) })
              : t('declared_as', { crop: w.crop(plot.crop) }),
          },
          {
            name: t('vigour'),
            value: f.percent(report?.vigour),
            note: t('vigour_note'),
          },
          {
            name: t('worth'),
            value: f.yuanShort(report?.worth?.middle),
            note: report?.worth
              ? `${f.yuanShort(report.worth.low)} – ${f.yuanShort(report.worth.high)}`
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
          <Panel title={t('curve')}>
            {report ? (
              <NdviChart report={report} hazardName={hazardName} reasonName={reasonName} />
            ) : (
              <Empty text={t('no_report')} />
            )}
          </Panel>
          <Ground detail={props.detail} />
        </div>
        <div>
          <Panel title={t('hazards')} flush>
            <Hazards rows={report?.hazards ?? []} />
          </Panel>
          {report ? (
            <Panel title={t('facts')}>
              <Facts
                rows={[
                  [t('season'), `${f.date(report.season.start)} – ${f.date(report.season.end)}`],
                  [t('declared'), w.crop(report.declared || plot.crop)],
                  [
                    t('guesses'),
                    (report.guesses ?? [])
                      .slice(0, 3)
                      .map((g) => `${w.crop(g.crop)} ${f.percent(g.probability)}`)
                      .join(' · ') || f.date(undefined),
                  ],
                  [t('start'), f.date(report.phenology.start)],
                  [
                    t('peak'),
                    `${f.date(report.phenology.peak)}  ${f.decimal(report.phenology.peak_ndvi)}`,
                  ],
                  [t('end'), f.date(report.phenology.end)],
                  [t('pixels'), f.integer(report.full_pixels)],
                  [t('sources'), (report.sources ?? []).join(', ')],
                  [t('method'), report.method],
                  [t('made'), f.time(report.made_at)],
                ]}
              />
            </Panel>
          ) : null}
          {report?.worth ? (
            <Panel title={t('worth')}>
              <Facts
                rows={[
                  [t('range'), `${f.yuan0(report.worth.low)} – ${f.yuan0(report.worth.high)}`],
                  [
                    t('yield'),
                    `${report.worth.yield_kg_per_mu.map((kg) => f.integer(kg)).join(' / ')} ${t('shared:unit.kg_mu')}`,
                  ],
                  [
                    t('price'),
                    t('price_of', {
                      price: f.yuan(report.worth.price_fen_per_kg),
                      date: f.date(report.worth.price_date),
                    }),
                  ],
                  [t('basis'), t('worth_basis')],
                ]}
              />
            </Panel>
          ) : null}
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

function Hazards(props: { rows: Hazard[] }) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const w = useWords();
  if (props.rows.length === 0) return <Empty text={t('no_hazards')} />;
  return (
    <ul className="findings">
      {props.rows.map((h) => (
        <li key={h.kind + h.start}>
          <p>
            <Pill tone="bad">{w.word('hazard', h.kind)}</Pill>{' '}
            <b>{t('share', { share: f.percent(h.share) })}</b>{' '}
            <span className="fw-muted">{t('sure', { share: f.percent(h.confidence) })}</span>
          </p>
          <p className="fw-muted">
            {f.date(h.start)} – {f.date(h.end)}
          </p>
          <EvidenceList of={h.evidence} />
        </li>
      ))}
    </ul>
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
      { id: plot.id, polygon: plot.polygon, color: '#ffd34d', fill: 0.08 },
    ],
    [others, plot, clash],
  );
  const bounds = useMemo<Bounds | undefined>(() => {
    const box = boundsOfPolygons([plot.polygon]);
    return box && grown(box, 0.5);
  }, [plot]);
  return (
    <Panel
      title={t('ground')}
      flush
      extra={
        <div className="fw-row">
          <Choice
            label={t('map:layer')}
            value={imagery.layer}
            onChange={imagery.setLayer}
            options={['truecolor', 'ndvi', 'none'].map((l) => ({
              value: l,
              text: t(`map:layers.${l}`),
            }))}
          />
          {imagery.dates.length ? (
            <Select
              size="small"
              aria-label={t('map:date')}
              value={imagery.date}
              onChange={imagery.setDate}
              style={{ minWidth: 130 }}
              options={imagery.dates.map((d) => ({ value: d.date, label: f.date(d.date) }))}
            />
          ) : null}
        </div>
      }
    >
      <MapView
        className="map-mid"
        label={t('map_label', { name: plot.name })}
        areas={areas}
        bounds={bounds}
        imagery={imagery.picture}
      />
      {imagery.layer === 'ndvi' ? <NdviLegend /> : null}
      {overlaps?.length ? (
        <ul className="links">
          {overlaps.map((o) => (
            <li key={o.plot_id}>
              <Pill tone="bad">{t('overlap')}</Pill>{' '}
              <Link to={`/plots/${o.plot_id}`}>
                {others?.find((l) => l.plot.id === o.plot_id)?.plot.name ?? o.plot_id}
              </Link>{' '}
              {t('overlap_of', { share: f.percent1(o.share), mu: f.mu(o.m2) })}
            </li>
          ))}
        </ul>
      ) : null}
    </Panel>
  );
}
