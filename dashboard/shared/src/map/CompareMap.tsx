import type { Map as MapLibre } from 'maplibre-gl';
import { type PointerEvent, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Imagery, MapView, type MapViewProps } from './MapView';

/** The picture that lies to the left of the line. */
export interface Other {
  imagery: Imagery | undefined;
  /** What it is, in words: a date. */
  name: string;
}

/**
 * A map with a second picture of the same land over its left part. The line between
 * them is dragged, or moved by the arrow keys on the slider above; both move as one.
 */
export function CompareMap(
  props: MapViewProps & {
    /** What the map itself shows, in words; said only beside another. */
    name: string;
    other?: Other;
  },
) {
  const { name, other, onReady, ...map } = props;
  const { t } = useTranslation();
  const slider = useId();
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(50);
  const [under, setUnder] = useState<MapLibre>();
  const [over, setOver] = useState<MapLibre>();
  const compared = !!other;

  useEffect(() => {
    if (under && over && compared) return tied(under, over);
  }, [under, over, compared]);

  const drag = (e: PointerEvent<HTMLElement>) => {
    if (!e.currentTarget.hasPointerCapture(e.pointerId) || !box.current) return;
    const { left, width } = box.current.getBoundingClientRect();
    setAt(Math.round(Math.min(100, Math.max(0, ((e.clientX - left) / width) * 100))));
  };

  return (
    <div className="fw-compare" data-compared={compared}>
      {other ? (
        <div className="fw-compare-slider">
          <label htmlFor={slider}>{t('compare.slider')}</label>
          <input
            id={slider}
            type="range"
            min={0}
            max={100}
            step={1}
            value={at}
            aria-valuetext={t('compare.value', { share: at, left: other.name, right: name })}
            onChange={(e) => setAt(Number(e.target.value))}
          />
        </div>
      ) : null}
      <div ref={box} className="fw-compare-maps">
        <MapView
          {...map}
          onReady={(made) => {
            setUnder(made);
            onReady?.(made);
          }}
        />
        {other ? (
          <>
            <div className="fw-compare-over" style={{ clipPath: `inset(0 ${100 - at}% 0 0)` }}>
              <MapView
                {...map}
                bare
                bounds={undefined}
                label={t('compare.map', { name: other.name })}
                imagery={other.imagery}
                onReady={setOver}
              />
            </div>
            <span className="fw-compare-name">{t('compare.left', { name: other.name })}</span>
            <span className="fw-compare-name fw-compare-right">{t('compare.right', { name })}</span>
            <span
              className="fw-compare-line"
              style={{ left: `${at}%` }}
              aria-hidden="true"
              onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}
              onPointerMove={drag}
            />
          </>
        ) : null}
      </div>
    </div>
  );
}

/** Has two maps show the same land from now on; gives back what ends it. */
function tied(a: MapLibre, b: MapLibre): () => void {
  let busy = false;
  const follow = (leader: MapLibre, other: MapLibre) => () => {
    if (busy) return;
    busy = true;
    other.jumpTo({ center: leader.getCenter(), zoom: leader.getZoom() });
    busy = false;
  };
  const there = follow(a, b);
  const back = follow(b, a);
  there();
  a.on('move', there);
  b.on('move', back);
  return () => {
    a.off('move', there);
    b.off('move', back);
  };
}
