import type { LegendEntry } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import type { ImageLayer } from '@furrow/shared/map/MapView';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { useLegend } from '../data';

/** What the colours of a layer mean; nothing for true colour. */
export function Legend(props: {
  layer: ImageLayer;
  /** Of the codes, only these; all when absent. */
  only?: ReadonlySet<string>;
}) {
  const { t } = useTranslation('map');
  const { layer, only } = props;
  const entries = useLegend(layer).data;
  if (!entries?.length) return null;
  const shown = entries.filter((e) => !e.code || !only || only.has(e.code));
  return (
    <figure className="map-legend" aria-label={t('legend_of', { layer: t(`layers.${layer}`) })}>
      {layer === 'ndvi' ? (
        <Ramp entries={shown} />
      ) : (
        <ul>
          {shown.map((e, i) => (
            <li key={e.colour + (e.code ?? e.from ?? '')}>
              <i style={{ background: e.colour }} aria-hidden="true" />
              <Meaning layer={layer} entry={e} next={shown[i + 1]} step={i} />
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

function Ramp(props: { entries: LegendEntry[] }) {
  const { t } = useTranslation('map');
  const f = useFormats();
  const colours = props.entries.map((e) => e.colour).join(', ');
  return (
    <>
      <span>{t('bare')}</span>
      <div className="ramp" aria-hidden="true">
        <i style={{ background: `linear-gradient(90deg, ${colours})` }} />
        <ol>
          {[0, 0.25, 0.5, 0.75, 1].map((v) => (
            <li key={v}>{f.decimal(v, v % 0.5 ? 2 : 1)}</li>
          ))}
        </ol>
      </div>
      <span>{t('dense')}</span>
    </>
  );
}

function Meaning(props: {
  layer: ImageLayer;
  entry: LegendEntry;
  next: LegendEntry | undefined;
  step: number;
}) {
  const { t } = useTranslation('map');
  const f = useFormats();
  const w = useWords();
  const { code, from } = props.entry;
  if (code === 'unknown') return t(props.layer === 'crop' ? 'not_recognised' : 'not_compared');
  if (code) return props.layer === 'hazard' ? w.word('hazard', code) : w.crop(code);
  const to = props.next?.from;
  return (
    <>
      {t(`standing.${props.step}`)}{' '}
      <small>
        {from === undefined
          ? t('below', { to: f.decimal(to, 1) })
          : to === undefined
            ? t('above', { from: f.decimal(from, 1) })
            : t('span', { from: f.decimal(from, 1), to: f.decimal(to, 1) })}
      </small>
    </>
  );
}
