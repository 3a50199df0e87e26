import type { Scene } from '@furrow/shared/api/types';
import type { Bounds } from '@furrow/shared/map/geometry';
import type { ImageLayer, Imagery } from '@furrow/shared/map/MapView';
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

/** The layers of the map, in the order they are offered. */
export const LAYERS = ['truecolor', 'ndvi', 'crop', 'growth', 'hazard'] as const;

/** The layer of a name in the address, or undefined for "none" and what is no layer. */
export function layerOf(name: string): ImageLayer | undefined {
  return LAYERS.find((l) => l === name);
}

/** The pictures of a day in a layer. */
export function pictureOf(
  day: Day | undefined,
  layer: ImageLayer | undefined,
  opacity: number,
): Imagery | undefined {
  if (!day || !layer) return undefined;
  const items = day.scenes.map((s) => ({
    id: s.id,
    bbox: s.bbox.length === 4 ? (s.bbox as Bounds) : undefined,
  }));
  return { layer, opacity, items };
}

/**
 * Which imagery the map shows: layer, day and the day to compare with in the address;
 * the newest clear day at first, and nothing to compare with.
 */
export function useImagery() {
  const scenes = useScenes().data;
  const [layerParam, setLayer] = useParam('layer');
  const [dateParam, setDate] = useParam('date');
  const [withParam, setWith] = useParam('with');
  const [opacity, setOpacity] = useState(0.9);
  const name = layerParam || 'truecolor';
  const layer = layerOf(name);
  const dates = useMemo(() => days(scenes ?? []), [scenes]);
  const day =
    dates.find((d) => d.date === dateParam) ?? dates.find((d) => d.cloud <= CLEAR) ?? dates[0];
  const other = layer && dates.find((d) => d.date === withParam);
  const picture = useMemo(() => pictureOf(day, layer, opacity), [day, layer, opacity]);
  const otherPicture = useMemo(() => pictureOf(other, layer, opacity), [other, layer, opacity]);
  return {
    name,
    layer,
    setLayer,
    date: day?.date,
    setDate,
    /** The day on the left of the line, when two are compared. */
    with: other?.date,
    setWith,
    dates,
    opacity,
    setOpacity,
    picture,
    otherPicture,
  };
}
