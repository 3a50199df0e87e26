import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Rings } from '../api/types';
import { useFormats } from '../format';
import { CompareMap } from './CompareMap';
import { type Bounds, boundsOfPolygons, grown } from './geometry';
import type { Imagery } from './MapView';

/** One look at a plot: the scene and its day. */
export interface Look {
  id: string;
  date?: string | undefined;
  bbox?: Bounds | undefined;
}

/** A plot before and after, with a line between the two pictures that can be moved. */
export default function BeforeAfter(props: {
  polygon: Rings;
  before: Look;
  after: Look;
  layer: 'truecolor' | 'ndvi';
  /** What happened, for those who cannot see the map. */
  what: string;
  className?: string;
}) {
  const { t } = useTranslation();
  const f = useFormats();
  const { polygon, before, after, layer } = props;
  const areas = useMemo(() => [{ id: 'plot', polygon, color: '#ffd34d', fill: 0 }], [polygon]);
  const bounds = useMemo(() => {
    const box = boundsOfPolygons([polygon]);
    return box && grown(box, 0.4);
  }, [polygon]);
  const named = (look: Look, key: 'compare.before' | 'compare.after') =>
    t(key, { date: look.date ? f.date(look.date) : '' });
  return (
    <CompareMap
      className={props.className}
      label={t('compare.label', { what: props.what })}
      areas={areas}
      bounds={bounds}
      imagery={pictureOf(layer, after)}
      name={named(after, 'compare.after')}
      other={{ imagery: pictureOf(layer, before), name: named(before, 'compare.before') }}
    />
  );
}

function pictureOf(layer: Imagery['layer'], { id, bbox }: Look): Imagery {
  return { layer, items: [bbox ? { id, bbox } : { id }], opacity: 1 };
}
