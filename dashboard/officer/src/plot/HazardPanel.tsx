import type { CropReport, Hazard, Plot } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import BeforeAfter, { type Look } from '@furrow/shared/map/BeforeAfter';
import type { Bounds } from '@furrow/shared/map/geometry';
import { dayOf } from '@furrow/shared/portrait';
import { Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useScenes } from '../data';
import { EvidenceList } from '../pieces/EvidenceList';
import { Choice } from '../pieces/Filter';
import { Legend } from '../pieces/Legend';
import { Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';

const keyOf = (h: Hazard) => h.kind + h.start;
const pictured = (h: Hazard) => !!h.before && !!h.after;

/** What befell the plot, each with its evidence; one at a time before and after. */
export function HazardPanel(props: { plot: Plot; report: CropReport | undefined }) {
  const { t } = useTranslation('plot');
  const rows = props.report?.hazards ?? [];
  const [shown, setShown] = useState<string>();
  // The first is open from the start; an empty choice closes it.
  const open = shown ?? rows.filter(pictured).map(keyOf)[0];
  return (
    <Panel title={t('hazards')} flush className="hazards">
      {rows.length === 0 || !props.report ? (
        <Empty text={t('no_hazards')} />
      ) : (
        <ul className="findings">
          {rows.map((h) => (
            <Finding
              key={keyOf(h)}
              hazard={h}
              plot={props.plot}
              report={props.report as CropReport}
              open={open === keyOf(h)}
              onOpen={(yes) => setShown(yes ? keyOf(h) : '')}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Finding(props: {
  hazard: Hazard;
  plot: Plot;
  report: CropReport;
  open: boolean;
  onOpen(yes: boolean): void;
}) {
  const { t } = useTranslation('plot');
  const f = useFormats();
  const w = useWords();
  const h = props.hazard;
  const causes = (h.candidates ?? []).map((c) => w.word('candidate', c));
  return (
    <li data-hazard={h.kind}>
      <p>
        <Pill tone="bad">{w.word('hazard', h.kind)}</Pill>{' '}
        <b>{t('share', { share: f.percent(h.share) })}</b>{' '}
        <span className="fw-muted">{t('sure', { share: f.percent(h.confidence) })}</span>{' '}
        <span className="fw-muted">
          {f.date(h.start)} – {f.date(h.end)}
        </span>
      </p>
      {causes.length ? <p>{t('candidates', { list: causes.join(t('list_comma')) })}</p> : null}
      <EvidenceList of={h.evidence} />
      {pictured(h) ? (
        <>
          <button
            type="button"
            className="plain-button"
            aria-expanded={props.open}
            onClick={() => props.onOpen(!props.open)}
          >
            {t(props.open ? 'hide_pictures' : 'show_pictures')}
          </button>
          {props.open ? (
            <Pictures
              hazard={h}
              plot={props.plot}
              report={props.report}
              what={w.word('hazard', h.kind)}
            />
          ) : null}
        </>
      ) : (
        <p className="fw-muted">{t('no_pictures')}</p>
      )}
    </li>
  );
}

function Pictures(props: { hazard: Hazard; plot: Plot; report: CropReport; what: string }) {
  const { t } = useTranslation('plot');
  const scenes = useScenes().data;
  const [layer, setLayer] = useState<'truecolor' | 'ndvi'>('truecolor');
  const look = (id = ''): Look => {
    const scene = scenes?.find((s) => s.id === id);
    return {
      id,
      date: scene?.date ?? dayOf(props.report, id),
      bbox: scene?.bbox.length === 4 ? (scene.bbox as Bounds) : undefined,
    };
  };
  return (
    <div className="pictures">
      <Choice
        label={t('map:layer')}
        value={layer}
        onChange={(l) => setLayer(l === 'ndvi' ? 'ndvi' : 'truecolor')}
        options={['truecolor', 'ndvi'].map((l) => ({ value: l, text: t(`map:layers.${l}`) }))}
      />
      <BeforeAfter
        className="map-pair"
        polygon={props.plot.polygon}
        before={look(props.hazard.before)}
        after={look(props.hazard.after)}
        layer={layer}
        what={props.what}
      />
      <Legend layer={layer} />
    </div>
  );
}
