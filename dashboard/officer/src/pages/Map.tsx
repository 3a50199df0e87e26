import type { OfficerPlotLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { CompareMap } from '@furrow/shared/map/CompareMap';
import { type Area, type Bounds, boundsOfPolygons, grown } from '@furrow/shared/map/geometry';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Input, Slider } from 'antd';
import { useCallback, useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { useLegend, usePlots } from '../data';
import { Choice, useParam } from '../pieces/Filter';
import { ImageryTools } from '../pieces/ImageryTools';
import { Legend } from '../pieces/Legend';
import { Page } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useImagery } from '../pieces/useImagery';

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
  const legend = useLegend('crop').data;
  const [by, setBy] = useParam('color');
  const [crop, setCrop] = useParam('crop');
  const [state, setState] = useParam('state');
  const [text, setText] = useParam('q');
  const [hovered, setHovered] = useState<string>();
  const { all } = props;

  // The colours of the tiles, so that a crop has one colour on the whole page.
  const colors = useMemo(
    () => new Map((legend ?? []).map((e) => [e.code ?? '', e.colour])),
    [legend],
  );
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
        // Where colours of the image mean something they have to be seen.
        fill: imagery.name === 'truecolor' || imagery.name === 'none' ? 0.3 : 0.02,
      })),
    [shown, color, imagery.name],
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
  const present = useMemo(
    () => new Set([...counts.keys(), ...all.flatMap((l) => l.hazards ?? []), 'unknown']),
    [counts, all],
  );
  const slider = useId();
  const marked = shown.find((l) => l.plot.id === hovered);

  return (
    <div className="atlas">
      <div className="atlas-map">
        <div className="atlas-tools">
          <ImageryTools of={imagery} />
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
        {imagery.layer ? <Legend layer={imagery.layer} only={present} /> : null}
        <CompareMap
          className="map-full"
          label={t('map_label', { count: shown.length })}
          areas={areas}
          bounds={bounds}
          imagery={imagery.picture}
          name={f.date(imagery.date)}
          other={
            imagery.with ? { imagery: imagery.otherPicture, name: f.date(imagery.with) } : undefined
          }
          marked={hovered}
          onHover={setHovered}
          onSelect={(id) => navigate(`/plots/${id}`)}
        />
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
