import type { AnchorWay, FirmPlace, Mount } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { usePlace } from './data';
import { local } from './local';
import { Sure, WaySteps } from './Proofs';
import './texts';

/** Where a firm stands: the anchors that its trade leads to, and its nodes. */
export function PlacePanel(props: { firmId: string }) {
  const { t } = useTranslation('chain');
  const query = usePlace(props.firmId);
  return (
    <Panel title={t('place')} className="place" flush>
      <Await query={query}>{(place) => <Place place={place} />}</Await>
    </Panel>
  );
}

function Place(props: { place: FirmPlace }) {
  const { t } = useTranslation('chain');
  const { anchors, mounts } = props.place;
  return (
    <>
      <h3 className="panel-part">{t('its_anchors')}</h3>
      {anchors.length ? (
        <ul className="links place-list">
          {anchors.map((a) => (
            <AnchorLine key={`${a.role}${a.anchor_id}`} anchor={a} />
          ))}
        </ul>
      ) : (
        <p className="panel-note">{t('no_anchor')}</p>
      )}
      <h3 className="panel-part">{t('its_nodes')}</h3>
      {mounts.length ? (
        <ul className="links place-list">
          {mounts.map((m) => (
            <MountLine key={m.node} mount={m} />
          ))}
        </ul>
      ) : (
        <p className="panel-note">{t('no_nodes')}</p>
      )}
    </>
  );
}

function AnchorLine(props: { anchor: AnchorWay }) {
  const { t } = useTranslation('chain');
  const a = props.anchor;
  return (
    <li>
      <p className="place-head">
        <Link to={`/chain/${encodeURIComponent(a.anchor_id)}`}>{a.name}</Link>
        <Pill tone="info">{t('tier_n', { n: a.tier })}</Pill>
        <span>{t(`role.${a.role}`)}</span>
        <Sure share={a.confidence} />
      </p>
      <details open={a.tier === 1 ? undefined : true}>
        <summary>{t('way_there')}</summary>
        <WaySteps way={a.way} label={t('way_there')} />
      </details>
    </li>
  );
}

function MountLine(props: { mount: Mount }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const m = props.mount;
  return (
    <li>
      <p className="place-head">
        <b>{local(m)}</b>
        <span className="kind">{t(`stage.${m.stage}`)}</span>
        <span>{t('node_share', { share: f.percent(m.share) })}</span>
        <Sure share={m.confidence} />
      </p>
      <ul className="node-reasons">
        {m.reasons.map((r) => (
          <li key={`${r.source}${r.text}`}>
            <span className="fw-muted">{t(`source.${r.source}`, { defaultValue: r.source })}</span>{' '}
            {r.word === r.text || !r.text
              ? t('found_code', { word: r.word })
              : t('found_word', { word: r.word, text: r.text })}
          </li>
        ))}
      </ul>
    </li>
  );
}
