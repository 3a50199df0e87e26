import type { Area, Bounds } from '@furrow/shared/map/geometry';
import { type Imagery, MapView } from '@furrow/shared/map/MapView';
import {
  type GeoJSONSource,
  type Map as MapLibre,
  type MapMouseEvent,
  type MapTouchEvent,
  Marker,
} from 'maplibre-gl';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Move, Shape } from './drawing';
import { type Corner, middles } from './ring';

/** Where the phone is, with its uncertainty in metres. */
export interface Here {
  at: Corner;
  accuracy: number;
}

/** How far a finger may slip and still tap, in pixels; how long it may rest, in ms. */
const SLIP = 14;
const REST = 700;
/** A side shorter than this on the screen offers no middle to drag, in pixels. */
const SHORT_SIDE = 56;

const place = ({ lng, lat }: { lng: number; lat: number }): Corner => [lng, lat];

/**
 * The map on which a boundary is drawn: a tap adds a corner, corners and middles of
 * sides are dragged or moved by arrow keys. The shape itself lives with the caller.
 */
export default function DrawMap(props: {
  shape: Shape;
  onMove(move: Move): void;
  selected: number | undefined;
  onSelect(index: number | undefined): void;
  knot: readonly [number, number] | null;
  imagery: Imagery | undefined;
  bounds: Bounds | undefined;
  others: Area[];
  here: Here | undefined;
  /** Takes a tap instead of the drawing: it points at a field, and the shape stands still. */
  onPoint?: ((at: Corner) => void) | undefined;
  /** The place that was pointed at. */
  pin?: Corner | undefined;
  /** Gives the caller the middle of the map, for the button that adds a corner there. */
  onReady(centre: () => Corner): void;
}) {
  const { t } = useTranslation('plot');
  const { shape, knot, selected, here, pin } = props;
  const still = !!props.onPoint;
  const [map, setMap] = useState<MapLibre>();
  const latest = useRef(props);
  latest.current = props;
  const tapped = useRef(0);

  useEffect(() => {
    if (!map) return;
    return prepare(map, (at) => {
      tapped.current = performance.now();
      if (latest.current.onPoint) return latest.current.onPoint(at);
      if (!latest.current.shape.closed) latest.current.onMove({ do: 'add', at });
      latest.current.onSelect(undefined);
    });
  }, [map]);

  useEffect(() => {
    if (map) paint(map, shape, knot);
  }, [map, shape, knot]);

  useEffect(() => {
    if (!map || !here) return;
    map.getSource<GeoJSONSource>('here')?.setData(ring(here));
    map.easeTo({ center: [...here.at], zoom: Math.max(map.getZoom(), 16) });
  }, [map, here]);

  useEffect(() => {
    if (!map || !pin) return;
    const element = document.createElement('span');
    element.className = 'f-pin';
    const marker = new Marker({ element }).setLngLat([...pin]).addTo(map);
    return () => {
      marker.remove();
    };
  }, [map, pin]);

  useEffect(() => {
    if (!map || still) return;
    const corners = shape.corners.map((c, i) => {
      const marker = handle('f-corner', t('corner', { n: i + 1 }), c);
      const el = marker.getElement();
      el.title = t('corner_help');
      el.setAttribute('aria-pressed', String(selected === i));
      el.dataset.first = String(i === 0 && !shape.closed && shape.corners.length > 2);
      el.addEventListener('click', (e) => {
        e.stopPropagation();
        // The click that follows a touch lands on the corner that the touch has made.
        if (performance.now() - tapped.current < REST && e.detail > 0) return;
        if (el.dataset.first === 'true') latest.current.onMove({ do: 'close' });
        else latest.current.onSelect(i);
      });
      el.addEventListener('keydown', (e) => key(map, e, i, c, latest.current.onMove));
      marker.on('drag', () => {
        const moved = shape.corners.map((old, j) => (j === i ? place(marker.getLngLat()) : old));
        paint(map, { ...shape, corners: moved }, null);
      });
      marker.on('dragend', () =>
        latest.current.onMove({ do: 'move', index: i, at: place(marker.getLngLat()) }),
      );
      return marker.addTo(map);
    });
    return () => {
      for (const m of corners) m.remove();
    };
  }, [map, shape, selected, still, t]);

  useEffect(() => {
    if (!map || still) return;
    let shown: Marker[] = [];
    const clear = () => {
      for (const m of shown) m.remove();
      shown = [];
    };
    const arrange = () => {
      clear();
      const { corners, closed } = shape;
      for (const [i, at] of middles(corners, closed).entries()) {
        const half = map.project([...at]).dist(map.project([...(corners[i] as Corner)]));
        if (half * 2 < SHORT_SIDE) continue;
        const marker = handle('f-middle', t('midpoint', { n: i + 1 }), at);
        const insert = () =>
          latest.current.onMove({ do: 'insert', after: i, at: place(marker.getLngLat()) });
        marker.getElement().addEventListener('click', (e) => {
          e.stopPropagation();
          insert();
        });
        marker.on('dragend', insert);
        shown.push(marker.addTo(map));
      }
    };
    arrange();
    map.on('zoomend', arrange);
    return () => {
      map.off('zoomend', arrange);
      clear();
    };
  }, [map, shape, still, t]);

  return (
    <div className="f-draw-map">
      <MapView
        label={t(still ? 'find_map_label' : 'map_label')}
        imagery={props.imagery}
        bounds={props.bounds}
        areas={props.others}
        onReady={(made) => {
          setMap(made);
          props.onReady(() => place(made.getCenter()));
        }}
      />
      {shape.closed ? null : <span className="f-cross" aria-hidden="true" />}
    </div>
  );
}

/** A draggable button on the map. */
function handle(className: string, label: string, at: Corner): Marker {
  const element = document.createElement('button');
  element.type = 'button';
  element.className = className;
  const marker = new Marker({ element, draggable: true }).setLngLat([...at]);
  element.setAttribute('aria-label', label);
  return marker;
}

/** Arrow keys move a corner by a pixel, with Shift by ten; Delete removes it. */
function key(
  map: MapLibre,
  e: KeyboardEvent,
  index: number,
  at: Corner,
  onMove: (m: Move) => void,
) {
  const step = e.shiftKey ? 10 : 1;
  const by: Record<string, [number, number]> = {
    ArrowLeft: [-step, 0],
    ArrowRight: [step, 0],
    ArrowUp: [0, -step],
    ArrowDown: [0, step],
  };
  const d = by[e.key];
  if (d) {
    const p = map.project([...at]);
    onMove({ do: 'move', index, at: place(map.unproject([p.x + d[0], p.y + d[1]])) });
  } else if (e.key === 'Delete' || e.key === 'Backspace') onMove({ do: 'remove', index });
  else return;
  e.preventDefault();
  e.stopPropagation();
  // The corner's button is made anew with the shape; the focus follows it.
  requestAnimationFrame(() =>
    map.getContainer().querySelectorAll<HTMLElement>('.f-corner')[index]?.focus(),
  );
}

/** Adds the layers of the drawing and calls back for every tap that is not on a handle. */
function prepare(map: MapLibre, tap: (at: Corner) => void): () => void {
  const empty: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
  for (const id of ['drawn', 'knot', 'here']) map.addSource(id, { type: 'geojson', data: empty });
  const line = (id: string, source: string, color: string, width: number) =>
    map.addLayer({
      id,
      type: 'line',
      source,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': color, 'line-width': width },
    });
  map.addLayer({
    id: 'here-fill',
    type: 'fill',
    source: 'here',
    paint: { 'fill-color': '#2f5f87', 'fill-opacity': 0.25 },
  });
  line('here-line', 'here', '#ffffff', 1.5);
  map.addLayer({
    id: 'drawn-fill',
    type: 'fill',
    source: 'drawn',
    paint: { 'fill-color': '#ffd34d', 'fill-opacity': 0.28 },
  });
  line('drawn-halo', 'drawn', '#1f2a1f', 5);
  line('drawn-line', 'drawn', '#ffd34d', 2.5);
  line('knot-line', 'knot', '#d8341a', 5);
  map.doubleClickZoom.disable();

  let down: { x: number; y: number; at: number } | undefined;
  let touched = 0;
  const own = (e: { originalEvent: Event }) =>
    e.originalEvent.target instanceof Element && !!e.originalEvent.target.closest('button');
  const start = (e: MapTouchEvent) => {
    down = e.points.length > 1 || own(e) ? undefined : { ...xy(e), at: performance.now() };
  };
  const end = (e: MapTouchEvent) => {
    touched = performance.now();
    if (!down || own(e) || e.originalEvent.touches.length) return;
    const { x, y } = xy(e);
    const near = Math.hypot(x - down.x, y - down.y) <= SLIP;
    if (near && touched - down.at <= REST) tap(place(e.lngLat));
    down = undefined;
  };
  const click = (e: MapMouseEvent) => {
    // Browsers send a click after a touch; that tap has been counted.
    if (performance.now() - touched > REST && !own(e)) tap(place(e.lngLat));
  };
  map.on('touchstart', start);
  map.on('touchend', end);
  map.on('click', click);
  return () => {
    if (!map.style) return; // removed with the map
    map.off('touchstart', start);
    map.off('touchend', end);
    map.off('click', click);
    for (const id of [
      'knot-line',
      'drawn-line',
      'drawn-halo',
      'drawn-fill',
      'here-line',
      'here-fill',
    ])
      map.removeLayer(id);
    for (const id of ['drawn', 'knot', 'here']) map.removeSource(id);
  };
}

const xy = (e: { point: { x: number; y: number } }) => ({ x: e.point.x, y: e.point.y });

function paint(map: MapLibre, { corners, closed }: Shape, knot: readonly [number, number] | null) {
  const ring = corners.map((c) => [...c]);
  const geometry: GeoJSON.Geometry = closed
    ? { type: 'Polygon', coordinates: [[...ring, ring[0] as number[]]] }
    : { type: 'LineString', coordinates: ring };
  const features: GeoJSON.Feature[] =
    corners.length > 1 ? [{ type: 'Feature', geometry, properties: {} }] : [];
  map.getSource<GeoJSONSource>('drawn')?.setData({ type: 'FeatureCollection', features });
  const sides = (knot ?? []).map(
    (i): GeoJSON.Feature => ({
      type: 'Feature',
      geometry: {
        type: 'LineString',
        coordinates: [ring[i] as number[], ring[(i + 1) % ring.length] as number[]],
      },
      properties: {},
    }),
  );
  map.getSource<GeoJSONSource>('knot')?.setData({ type: 'FeatureCollection', features: sides });
}

/** The circle in which the phone says it is. */
function ring({ at, accuracy }: Here): GeoJSON.Feature {
  const lat = accuracy / 111_320;
  const lon = lat / Math.cos((at[1] * Math.PI) / 180);
  const points = Array.from({ length: 49 }, (_, i) => {
    const a = (i / 48) * 2 * Math.PI;
    return [at[0] + lon * Math.cos(a), at[1] + lat * Math.sin(a)];
  });
  return { type: 'Feature', geometry: { type: 'Polygon', coordinates: [points] }, properties: {} };
}
