import type { OfficerPlotLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { type Area, type Bounds, boundsOfPolygons, grown } from '@furrow/shared/map/geometry';
import { MapView } from '@furrow/shared/map/MapView';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useCatalogue, useWords } from '@furrow/shared/words';
import { Input, Select, Slider } from 'antd';
import { useCallback, useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { usePlots } from '../data';
import { Choice, useParam } from '../pieces/Filter';
import { NdviLegend } from '../pieces/NdviLegend';
import { Page } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useImagery } from '../pieces/useImagery';

/** Colours that stay apart for colour-blind eyes, given to the crops of the catalogue in order. */
const palette = [
  '#c8962e',
  '#2f6b3c',
  '#2f5f87',
  '#a6572e',
  '#7b4f8e',
  '#3f9a94',
  '#b5456b',
  '#6b7a1f',
  '#8a6d4b',
  '#4a4f9c',
];
const UNKNOWN = '#8b9099';
const tinted = { hurt: '#b3432b', pledged: '#2f5f87', free: '#2f6b3c' };

const MOST_ROWS = 300;

/** All plots on our own imagery, with the list beside it. */
export function MapPage() {
  const { t } = useTranslation('map');
  return (
    <Page title={t('title')}>
      <Await query={usePlots()} lines={12}>
        {(plots) => (plots.length ? <Plots all={plots} /> : <Empty text={t('none')} />)}
      </Await>
    </Page>
  );
}

function Plots(props: { all: OfficerPlotLine[] }) {
  const { t } = useTranslation('map');
  const f = useFormats();
  const w = useWords();
  const navigate = useNavigate();
  const catalogue = useCatalogue().data;
  const [by, setBy] = useParam('color');
  const [crop, setCrop] = useParam('crop');
  const [state, setState] = useParam('state');
  const [text, setText] = useParam('q');
  const [hovered, setHovered] = useState<string>();
  const { all } = props;

  const colors = useMemo(() => {
    const codes = [...(catalogue?.crops ?? []).map((c) => c.code)];
    for (const l of all) if (l.crop && !codes.includes(l.crop)) codes.push(l.crop);
    return new Map(codes.map((code, i) => [code, palette[i % palette.length] as string]));
  }, [catalogue, all]);
  const color = useCallback(
    (l: OfficerPlotLine) =>
      by === 'state'
        ? l.hazards?.length
          ? tinted.hurt
          : l.pledged
            ? tinted.pledged
            : tinted.free
        : (colors.get(l.crop) ?? UNKNOWN),
    [by, colors],
  );

  const shown = useMemo(() => {
    const q = text.toLowerCase();
    return all.filter(
      (l) =>
        (!crop || (crop === 'unknown' ? !l.crop : l.crop === crop)) &&
        (!state ||
          (state === 'hurt' && !!l.hazards?.length) ||
          (state === 'pledged' && l.pledged) ||
          (state === 'unseen' && l.status === 'unknown')) &&
        (!q || `${l.plot.name} ${l.plot.owner_name}`.toLowerCase().includes(q)),
    );
  }, [all, crop, state, text]);
  const imagery = useImagery();
  const areas = useMemo<Area[]>(
    () =>
      shown.map((l) => ({
        id: l.plot.id,
        polygon: l.plot.polygon,
        color: color(l),
        label: l.plot.name,
        // Over NDVI the colours of the image have to be seen.
        fill: imagery.layer === 'ndvi' ? 0.02 : 0.3,
      })),
    [shown, color, imagery.layer],
  );
  const bounds = useMemo<Bounds | undefined>(() => {
    const box = boundsOfPolygons((shown.length ? shown : all).map((l) => l.plot.polygon));
    return box && grown(box, 0.03);
  }, [shown, all]);
  const counts = useMemo(() => {
    const n = new Map<string, number>();
    for (const l of all) n.set(l.crop, (n.get(l.crop) ?? 0) + 1);
    return n;
  }, [all]);
  const slider = useId();
  const marked = shown.find((l) => l.plot.id === hovered);

  return (
    <div className="atlas">
      <div className="atlas-map">
        <div className="atlas-tools">
          <Choice
            label={t('layer')}
            value={imagery.layer}
            onChange={imagery.setLayer}
            options={['truecolor', 'ndvi', 'none'].map((l) => ({
              value: l,
              text: t(`layers.${l}`),
            }))}
          />
          {imagery.dates.length ? (
            <Select
              aria-label={t('date')}
              value={imagery.date}
              onChange={imagery.setDate}
              style={{ minWidth: 190 }}
              options={imagery.dates.map((d) => ({
                value: d.date,
                label: `${f.date(d.date)}  ${t('cloud', { share: f.percent(d.cloud) })}`,
              }))}
            />
          ) : (
            <span className="fw-muted">{t('no_scenes')}</span>
          )}
          <label id={slider} htmlFor={`${slider}-input`}>
            {t('opacity')}
          </label>
          <Slider
            id={`${slider}-input`}
            ariaLabelledByForHandle={slider}
            className="opacity"
            min={0}
            max={100}
            value={Math.round(imagery.opacity * 100)}
            onChange={(v) => imagery.setOpacity(v / 100)}
          />
        </div>
        <MapView
          className="map-full"
          label={t('map_label', { count: shown.length })}
          areas={areas}
          bounds={bounds}
          imagery={imagery.picture}
          marked={hovered}
          onHover={setHovered}
          onSelect={(id) => navigate(`/plots/${id}`)}
        />
        {imagery.layer === 'ndvi' ? <NdviLegend /> : null}
        <p className="atlas-hint" role="status">
          {marked
            ? `${marked.plot.name} · ${marked.plot.owner_name} · ${w.crop(marked.crop)} · ${f.decimal(marked.mu, 1)} ${t('shared:unit.mu')}`
            : t('hint')}
        </p>
      </div>
      <aside className="atlas-list" aria-label={t('list')}>
        <div className="atlas-filters">
          <Input
            allowClear
            aria-label={t('find')}
            placeholder={t('find')}
            defaultValue={text}
            maxLength={60}
            onChange={(e) => setText(e.target.value.trim())}
          />
          <Choice
            label={t('color_by')}
            value={by}
            onChange={setBy}
            options={[
              { value: '', text: t('by_crop') },
              { value: 'state', text: t('by_state') },
            ]}
          />
          <Choice
            label={t('show')}
            value={state}
            onChange={setState}
            options={[
              { value: '', text: t('any') },
              { value: 'hurt', text: t('hurt') },
              { value: 'pledged', text: t('pledged') },
              { value: 'unseen', text: t('unseen') },
            ]}
          />
          <ul className="swatches">
            {by === 'state'
              ? (['hurt', 'pledged', 'free'] as const).map((s) => (
                  <li key={s}>
                    <span className="swatch">
                      <i style={{ background: tinted[s] }} aria-hidden="true" /> {t(s)}
                    </span>
                  </li>
                ))
              : [...counts.entries()]
                  .sort((a, b) => b[1] - a[1])
                  .map(([code, n]) => (
                    <li key={code}>
                      <button
                        type="button"
                        className="swatch"
                        aria-pressed={crop === (code || 'unknown')}
                        onClick={() =>
                          setCrop(crop === (code || 'unknown') ? '' : code || 'unknown')
                        }
                      >
                        <i style={{ background: colors.get(code) ?? UNKNOWN }} aria-hidden="true" />{' '}
                        {w.crop(code)} <b>{n}</b>
                      </button>
                    </li>
                  ))}
          </ul>
          <p className="fw-muted" role="status">
            {t('count', { count: shown.length, all: all.length })}
          </p>
        </div>
        {shown.length ? (
          <ol className="plot-list">
            {shown.slice(0, MOST_ROWS).map((l) => (
              <li key={l.plot.id}>
                <Link
                  to={`/plots/${l.plot.id}`}
                  className={l.plot.id === hovered ? 'marked' : undefined}
                  onMouseEnter={() => setHovered(l.plot.id)}
                  onMouseLeave={() => setHovered(undefined)}
                  onFocus={() => setHovered(l.plot.id)}
                  onBlur={() => setHovered(undefined)}
                >
                  <i style={{ background: color(l) }} aria-hidden="true" />
                  <span>
                    <b>{l.plot.name}</b> <small>{l.plot.owner_name}</small>
                  </span>
                  <span className="fw-num">
                    {f.decimal(l.mu, 1)} {t('shared:unit.mu')}
                  </span>
                  <small>
                    {w.crop(l.crop)} {l.crop ? f.percent(l.confidence) : ''}
                  </small>
                  <span className="plot-marks">
                    {(l.hazards ?? []).map((h) => (
                      <Pill key={h} tone="bad">
                        {w.word('hazard', h)}
                      </Pill>
                    ))}
                    {l.pledged ? <Pill tone="info">{t('pledged')}</Pill> : null}
                  </span>
                </Link>
              </li>
            ))}
          </ol>
        ) : (
          <Empty text={t('none_match')} />
        )}
        {shown.length > MOST_ROWS ? (
          <p className="fw-muted">{t('first', { count: MOST_ROWS })}</p>
        ) : null}
      </aside>
    </div>
  );
}
