import type { Scene } from '@furrow/shared/api/types';
import type { Bounds } from '@furrow/shared/map/geometry';
import type { Imagery } from '@furrow/shared/map/MapView';
import { useMemo, useState } from 'react';
import { useScenes } from '../data';
import { useParam } from './Filter';

const CLEAR = 0.2;

/** The images of one day, which may be several side by side. */
export interface Day {
  date: string;
  cloud: number;
  scenes: Scene[];
}

/** Scenes by day, newest first; the cloud share of a day is its scenes' mean. */
export function days(scenes: Scene[]): Day[] {
  const byDay = new Map<string, Scene[]>();
  for (const s of scenes) {
    const day = s.date.slice(0, 10);
    byDay.set(day, [...(byDay.get(day) ?? []), s]);
  }
  return [...byDay.entries()]
    .sort(([a], [b]) => b.localeCompare(a))
    .map(([date, list]) => ({
      date,
      scenes: list,
      cloud: list.reduce((sum, s) => sum + s.cloud_share, 0) / list.length,
    }));
}

/** Which imagery the map shows: layer and day in the address, the newest clear day at first. */
export function useImagery(firstLayer: 'truecolor' | 'ndvi' = 'truecolor') {
  const scenes = useScenes().data;
  const [layerParam, setLayer] = useParam('layer');
  const [dateParam, setDate] = useParam('date');
  const [opacity, setOpacity] = useState(0.9);
  const layer = layerParam || firstLayer;
  const dates = useMemo(() => days(scenes ?? []), [scenes]);
  const day =
    dates.find((d) => d.date === dateParam) ?? dates.find((d) => d.cloud <= CLEAR) ?? dates[0];
  const picture = useMemo<Imagery | undefined>(
    () =>
      day && (layer === 'truecolor' || layer === 'ndvi')
        ? {
            layer,
            opacity,
            items: day.scenes.map((s) => ({
              id: s.id,
              bbox: s.bbox.length === 4 ? (s.bbox as Bounds) : undefined,
            })),
          }
        : undefined,
    [day, layer, opacity],
  );
  return { layer, setLayer, date: day?.date, setDate, dates, opacity, setOpacity, picture };
}
