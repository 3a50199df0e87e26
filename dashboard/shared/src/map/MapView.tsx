import {
  AttributionControl,
  type GeoJSONSource,
  Map as MapLibre,
  type MapMouseEvent,
  NavigationControl,
  type RasterTileSource,
  ScaleControl,
  setWorkerUrl,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Area, areaCollection, type Bounds, type Dot } from './geometry';
import { Movers } from './movers';

setWorkerUrl(workerUrl);

/** What the images show; all but the first two are for officers alone. */
export type ImageLayer = 'truecolor' | 'ndvi' | 'crop' | 'growth' | 'hazard';

export interface Imagery {
  layer: ImageLayer;
  /** STAC item ids, drawn in order, each only inside its box. */
  items: { id: string; bbox?: Bounds }[];
  opacity: number;
}

export interface MapViewProps {
  /** Accessible name: what the map shows. */
  label: string;
  imagery?: Imagery;
  areas?: Area[];
  dots?: Dot[];
  /** Id of the area or dot to mark. */
  marked?: string;
  /** The map moves here whenever the box changes. */
  bounds?: Bounds;
  onSelect?(id: string): void;
  onHover?(id: string | undefined): void;
  /** Gives the map away once it has loaded, for drawing tools. */
  onReady?(map: MapLibre): void;
  /** Without buttons and scale, and out of the way of the Tab key: it lies on another map. */
  bare?: boolean;
  className?: string;
}

/** Judged plots are drawn from this zoom on; the server gives nothing above it. */
const JUDGED_ZOOM = 10;

/** Where the tiles of a layer come from, and from which zoom on. */
function tilesOf(layer: ImageLayer, item: string) {
  const seen = layer === 'truecolor' || layer === 'ndvi';
  const path = seen ? `tiles/${layer}` : `officer/tiles/${layer}`;
  return {
    tiles: [
      `${location.origin}/api/v1/${path}/${encodeURIComponent(item)}/{z}/{x}/{y}.${seen ? 'png' : 'webp'}`,
    ],
    ...(seen ? {} : { minzoom: JUDGED_ZOOM }),
  };
}

const NONE = '\u0000';
const FONT = '"Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif';

/**
 * A map of our own imagery and shapes. It asks nobody but this server: no style,
 * glyph or sprite comes from outside, and labels are drawn from local fonts.
 */
export function MapView(props: MapViewProps) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre>();
  const [failed, setFailed] = useState(false);
  const movers = useRef(new Movers('dots'));
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    let made: MapLibre;
    try {
      made = new MapLibre({
        container: box.current as HTMLDivElement,
        style: {
          version: 8,
          sources: {
            areas: { type: 'geojson', data: areaCollection([]), promoteId: 'id' },
          },
          layers: [
            { id: 'paper', type: 'background', paint: { 'background-color': '#ece7d8' } },
            {
              id: 'area-fill',
              type: 'fill',
              source: 'areas',
              paint: { 'fill-color': ['get', 'color'], 'fill-opacity': ['get', 'fill'] },
            },
            {
              id: 'area-halo',
              type: 'line',
              source: 'areas',
              paint: { 'line-color': '#ffffff', 'line-width': 3, 'line-opacity': 0.55 },
            },
            {
              id: 'area-line',
              type: 'line',
              source: 'areas',
              paint: { 'line-color': ['get', 'color'], 'line-width': 1.6 },
            },
            {
              id: 'area-marked',
              type: 'line',
              source: 'areas',
              filter: ['==', ['get', 'id'], NONE],
              paint: { 'line-color': '#ffd34d', 'line-width': 4 },
            },
            {
              id: 'area-label',
              type: 'symbol',
              source: 'areas',
              minzoom: 13.5,
              layout: { 'text-field': ['get', 'label'], 'text-size': 12, 'text-max-width': 7 },
              paint: {
                'text-color': '#20301f',
                'text-halo-color': 'rgba(255,255,255,.9)',
                'text-halo-width': 1.4,
              },
            },
          ],
        },
        bounds: latest.current.bounds,
        fitBoundsOptions: { padding: 32, maxZoom: 17 },
        attributionControl: false,
        localIdeographFontFamily: FONT,
        maxZoom: 19,
        dragRotate: false, // the dots are drawn for a map that looks straight down and north
        pitchWithRotate: false,
        maxPitch: 0,
        locale: {
          'Map.Title': latest.current.label,
          'NavigationControl.ZoomIn': t('map.zoom_in'),
          'NavigationControl.ZoomOut': t('map.zoom_out'),
        },
      });
    } catch {
      setFailed(true);
      return;
    }
    made.touchZoomRotate.disableRotation();
    made.keyboard.disableRotation();
    if (latest.current.bare) made.getCanvas().tabIndex = -1;
    else {
      made.addControl(new NavigationControl({ showCompass: false }), 'top-right');
      made.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-left');
      made.addControl(new AttributionControl({ compact: false, customAttribution: '' }));
    }
    const under = (e: MapMouseEvent): string | undefined => {
      const dot = movers.current.at(e.point)?.id;
      if (dot !== undefined || !made.getLayer('area-fill')) return dot;
      return made.queryRenderedFeatures(e.point, { layers: ['area-fill'] })[0]?.properties.id;
    };
    made.on('click', (e) => {
      const id = under(e);
      if (id !== undefined) latest.current.onSelect?.(String(id));
    });
    let over: string | undefined;
    made.on('mousemove', (e) => {
      const id = under(e);
      if (id === over) return;
      over = id;
      made.getCanvas().style.cursor = id !== undefined && latest.current.onSelect ? 'pointer' : '';
      latest.current.onHover?.(id);
    });
    made.on('mouseout', () => {
      over = undefined;
      latest.current.onHover?.(undefined);
    });
    const busy = (is: boolean) => () => {
      if (box.current) box.current.dataset.idle = String(!is);
    };
    made.on('dataloading', busy(true));
    made.on('idle', busy(false));
    made.once('load', () => {
      made.addLayer(movers.current);
      setMap(made);
      latest.current.onReady?.(made);
    });
    return () => {
      setMap(undefined);
      made.remove();
    };
  }, [t]);

  useEffect(() => {
    map?.getSource<GeoJSONSource>('areas')?.setData(areaCollection(props.areas ?? []));
  }, [map, props.areas]);

  useEffect(() => {
    if (map) movers.current.set(props.dots ?? []);
  }, [map, props.dots]);

  useEffect(() => {
    map?.setFilter('area-marked', ['==', ['get', 'id'], props.marked ?? NONE]);
    movers.current.mark(props.marked);
  }, [map, props.marked]);

  const fit = props.bounds?.join(',');
  useEffect(() => {
    if (map && fit)
      map.fitBounds(fit.split(',').map(Number) as Bounds, {
        padding: 32,
        maxZoom: 17,
        animate: false,
      });
  }, [map, fit]);

  const pictures = props.imagery?.items
    .map((item) => `${props.imagery?.layer}|${item.id}|${item.bbox?.join(',') ?? ''}`)
    .join(';');
  useEffect(() => {
    if (!map || !pictures) return;
    const added: string[] = [];
    for (const picture of pictures.split(';')) {
      const [layer, item, bbox] = picture.split('|') as [ImageLayer, string, string];
      const id = `imagery-${layer}-${item}`;
      map.addSource(id, {
        type: 'raster',
        ...tilesOf(layer, item),
        tileSize: 256,
        maxzoom: 16,
        ...(bbox ? { bounds: bbox.split(',').map(Number) as Bounds } : {}),
      });
      map.addLayer(
        {
          id,
          type: 'raster',
          source: id,
          paint: { 'raster-resampling': 'nearest', 'raster-fade-duration': 0 },
        },
        'area-fill',
      );
      added.push(id);
    }
    return () => {
      if (!map.style) return; // removed with the map
      for (const id of added) {
        if (map.getLayer(id)) map.removeLayer(id);
        if (map.getSource<RasterTileSource>(id)) map.removeSource(id);
      }
    };
  }, [map, pictures]);

  const opacity = props.imagery?.opacity ?? 1;
  useEffect(() => {
    if (!map || !pictures) return;
    for (const layer of map.getStyle().layers)
      if (layer.id.startsWith('imagery-'))
        map.setPaintProperty(layer.id, 'raster-opacity', opacity);
  }, [map, pictures, opacity]);

  return (
    <section
      className={`fw-map ${props.className ?? ''}`}
      aria-label={props.label}
      data-ready={map ? 'true' : 'false'}
    >
      <div ref={box} className="fw-map-canvas" />
      {failed ? <p className="fw-map-failed">{t('map.failed')}</p> : null}
    </section>
  );
}
