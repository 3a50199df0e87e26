import type { AnimalState, Herd } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { boundsOf, type Dot, grown } from '@furrow/shared/map/geometry';
import { MapView } from '@furrow/shared/map/MapView';
import type { GeoJSONSource, Map as MapLibre } from 'maplibre-gl';
import { memo, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useTimeline } from '../data';
import { useGround } from '../herd/HerdMap';
import { dotOf } from '../herd/look';
import { Panel } from '../pieces/Page';
import { useImagery } from '../pieces/useImagery';
import { ways } from './timeline';

const WAY = '#ffd34d';

/** Where the animal went in the last day, inside its fence. */
export const TrackPanel = memo(function TrackPanel(props: {
  herd: Herd;
  animalId: string;
  code: string;
  state: AnimalState | undefined;
}) {
  const { t } = useTranslation('animal');
  const f = useFormats();
  const { herd, state } = props;
  const query = useTimeline(props.animalId, 'day');
  const track = query.data?.track ?? undefined;
  const [map, setMap] = useState<MapLibre>();
  const areas = useGround(herd);
  const { picture } = useImagery();
  const lines = useMemo(() => ways(track ?? []), [track]);
  const dots = useMemo(() => {
    const now = state ? dotOf(state) : undefined;
    return now ? [now] : ([] as Dot[]);
  }, [state]);
  // The map goes to the way when it comes, and then stays where the reader puts it.
  const bounds = useMemo(() => {
    const box = boundsOf([
      ...areas.flatMap((a) => a.polygon[0] ?? []),
      ...(track ?? []).map((s) => [s.lon, s.lat]),
    ]);
    return box && grown(box, 0.08);
  }, [areas, track]);

  useEffect(() => {
    if (!map?.style) return;
    const data: GeoJSON.Feature = {
      type: 'Feature',
      properties: {},
      geometry: { type: 'MultiLineString', coordinates: lines },
    };
    const source = map.getSource<GeoJSONSource>('way');
    if (source) {
      source.setData(data);
      return;
    }
    map.addSource('way', { type: 'geojson', data });
    const layout = { 'line-cap': 'round', 'line-join': 'round' } as const;
    const under = map.getLayer('dots') ? 'dots' : undefined;
    map.addLayer(
      {
        id: 'way-halo',
        type: 'line',
        source: 'way',
        layout,
        paint: { 'line-color': '#1f2a1f', 'line-width': 4.5, 'line-opacity': 0.55 },
      },
      under,
    );
    map.addLayer(
      {
        id: 'way',
        type: 'line',
        source: 'way',
        layout,
        paint: { 'line-color': WAY, 'line-width': 2.2 },
      },
      under,
    );
  }, [map, lines]);

  const [first, last] = [track?.[0], track?.at(-1)];
  return (
    <Panel title={t('track')} flush>
      <MapView
        className="map-mid"
        label={t('track_label', { code: props.code })}
        areas={areas}
        dots={dots}
        bounds={bounds}
        imagery={picture}
        onReady={setMap}
      />
      <p className="panel-note" role="status">
        {first && last
          ? t('track_of', {
              count: track?.length ?? 0,
              from: f.time(first.at),
              to: f.time(last.at),
            })
          : query.isPending
            ? t('track_coming')
            : t(state?.lon === undefined ? 'no_position' : 'no_track')}
      </p>
    </Panel>
  );
});
