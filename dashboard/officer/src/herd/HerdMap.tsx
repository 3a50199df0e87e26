import type { Herd, Pen } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { boundsOf, grown } from '@furrow/shared/map/geometry';
import { MapView } from '@furrow/shared/map/MapView';
import { Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { memo, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParam } from '../pieces/Filter';
import { Panel } from '../pieces/Page';
import { useImagery } from '../pieces/useImagery';
import { colorOf, dotOf, FENCE, PEN, ringOf } from './look';
import { among, type HerdStates, type Narrow, statuses, tally, useStates } from './states';

/** How often the map takes where everybody is: as often as the house sends it. */
const EVERY_MS = 200;

/** The ground of a herd: its fence and its pens by name. */
export function useGround(herd: Herd) {
  return useMemo(
    () => [
      { id: herd.id, polygon: herd.fence, color: FENCE, fill: 0.1 },
      ...(herd.pens ?? []).map((p: Pen) => ({
        id: p.id,
        polygon: p.area,
        color: PEN,
        fill: 0.06,
        label: p.name,
      })),
    ],
    [herd],
  );
}

/** Where everybody is, live; the legend counts along and narrows what is shown. */
export const HerdMap = memo(function HerdMap(props: {
  herd: Herd;
  store: HerdStates;
  only: Narrow;
  marked: string | undefined;
  onMark(id: string | undefined): void;
  onSelect(id: string): void;
}) {
  const { t } = useTranslation('herds');
  const { herd, store, only } = props;
  const states = useStates(store, EVERY_MS);
  const areas = useGround(herd);
  const { picture } = useImagery();
  // Where everybody was at first: the map must not jump with every step of an animal.
  const [bounds] = useState(() => {
    const out = states.flatMap((s) =>
      s.status === 'outside' && s.lon !== undefined && s.lat !== undefined ? [[s.lon, s.lat]] : [],
    );
    const box = boundsOf([...areas.flatMap((a) => a.polygon[0] ?? []), ...out]);
    return box && grown(box, 0.12);
  });
  const dots = useMemo(
    () =>
      states.flatMap((s) => {
        const dot = among(s, only) ? dotOf(s) : undefined;
        return dot ? [dot] : [];
      }),
    [states, only],
  );
  const ids = useMemo(() => new Set(areas.map((a) => a.id)), [areas]);
  const unplaced = useMemo(
    () => states.filter((s) => s.lon === undefined || s.lat === undefined).length,
    [states],
  );
  return (
    <Panel title={t('positions')} flush>
      <MapView
        className="map-tall"
        label={t('map_label', { name: herd.name, count: states.length })}
        areas={areas}
        dots={dots}
        bounds={bounds}
        imagery={picture}
        marked={props.marked}
        onHover={(id) => props.onMark(id !== undefined && ids.has(id) ? undefined : id)}
        onSelect={(id) => ids.has(id) || props.onSelect(id)}
      />
      <HerdLegend states={states} unplaced={unplaced} />
      {states.length > 0 && unplaced === states.length ? <Empty text={t('no_positions')} /> : null}
    </Panel>
  );
});

/** What the colours and rings mean, how many there are, and the way to see only those. */
function HerdLegend(props: { states: ReturnType<HerdStates['snapshot']>; unplaced: number }) {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const w = useWords();
  const [status, setStatus] = useParam('status');
  const [sign, setSign] = useParam('sign');
  const counts = useMemo(() => tally(props.states), [props.states]);
  const known = [
    ...statuses.filter((s) => counts.statuses[s] || s === status),
    ...Object.keys(counts.statuses).filter((s) => !statuses.includes(s)),
  ];
  const signs = [...new Set([...Object.keys(counts.signs).sort(), ...(sign ? [sign] : [])])];
  return (
    <fieldset className="choice herd-legend">
      <legend className="sr-only">{t('legend')}</legend>
      {known.map((s) => (
        <button
          key={s}
          type="button"
          data-status={s}
          aria-pressed={s === status}
          onClick={() => setStatus(s === status ? '' : s)}
        >
          <i style={{ background: colorOf(s) }} aria-hidden="true" />
          {w.word('animal', s)}
          <b>{f.integer(counts.statuses[s] ?? 0)}</b>
        </button>
      ))}
      {signs.map((s) => (
        <button
          key={s}
          type="button"
          data-sign={s}
          aria-pressed={s === sign}
          onClick={() => setSign(s === sign ? '' : s)}
        >
          <i className="ring" style={{ borderColor: ringOf(s) }} aria-hidden="true" />
          {w.word('alert', s)}
          <b>{f.integer(counts.signs[s] ?? 0)}</b>
        </button>
      ))}
      {props.unplaced ? (
        <span className="fw-muted">{t('unplaced', { count: props.unplaced })}</span>
      ) : null}
    </fieldset>
  );
}
