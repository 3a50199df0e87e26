import type { AnimalPage, LifeEvent } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { animalPath } from '../herd/AnimalTable';
import { Facts, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';

/** What befell the animal, newest first; what was taken back stays and says so. */
export function LifePanel(props: { page: AnimalPage }) {
  const { t } = useTranslation('animal');
  const f = useFormats();
  const { life, herd } = props.page;
  const events = [...(life.events ?? [])].reverse();
  const corrected = new Set(events.flatMap((e) => (e.corrects ? [e.corrects] : [])));
  const penName = (id: string) => herd.pens?.find((p) => p.id === id)?.name ?? id;
  const details = (e: LifeEvent) =>
    [
      e.identity?.code,
      e.tag_id ? t('tag_of', { tag: e.tag_id }) : '',
      e.pen_id ? penName(e.pen_id) : '',
      e.reason ? t(`reasons.${e.reason}`, { defaultValue: e.reason }) : '',
      e.note,
    ].filter(Boolean);
  return (
    <Panel title={t('life')}>
      {events.length ? (
        <ol className="steps">
          {events.map((e) => (
            <li key={e.id}>
              <span>
                <b>{t(`events.${e.kind}`, { defaultValue: e.kind })}</b> {f.date(e.at)}{' '}
                {corrected.has(e.id) ? <Pill tone="calm">{t('taken_back')}</Pill> : null}
              </span>
              <span className="fw-muted">
                {[...details(e), t(`told_by.${e.source}`, { defaultValue: e.source })].join(' · ')}
              </span>
            </li>
          ))}
        </ol>
      ) : (
        <Empty text={t('no_life')} />
      )}
      {life.dam ? (
        <p>
          {t('dam')} <Link to={animalPath(herd.id, life.dam)}>{t('dam_page')}</Link>
        </p>
      ) : null}
    </Panel>
  );
}

/** Codes and tags over time, and what is lent on the animal. */
export function IdentityPanel(props: { page: AnimalPage }) {
  const { t } = useTranslation('animal');
  const f = useFormats();
  const { life, pledges } = props.page;
  const span = (from: string, to: string | undefined) =>
    to ? `${f.date(from)} – ${f.date(to)}` : t('since', { date: f.date(from) });
  return (
    <>
      <Panel title={t('identifiers')}>
        <Facts
          rows={(life.identifiers ?? []).map((x): [string, string] => [
            `${t(`schemes.${x.scheme}`, { defaultValue: x.scheme })} ${x.code}`,
            span(x.from, x.to),
          ])}
        />
        <h3 className="sub">{t('tags')}</h3>
        {life.tags?.length ? (
          <Facts
            rows={life.tags.map((x): [string, string] => [
              x.tag,
              [
                span(x.from, x.to),
                x.reason ? t(`reasons.${x.reason}`, { defaultValue: x.reason }) : '',
              ]
                .filter(Boolean)
                .join(' · '),
            ])}
          />
        ) : (
          <p className="fw-muted">{t('no_tag')}</p>
        )}
      </Panel>
      <Panel title={t('pledges')}>
        {pledges?.length ? (
          <ul className="pledges">
            {pledges.map((p) => (
              <li key={p.application + p.since}>
                <Link to={`/applications/${encodeURIComponent(p.application)}`}>
                  {t('application')}
                </Link>{' '}
                {span(p.since, p.until)}{' '}
                {p.until ? (
                  <Pill tone="calm">{t('released')}</Pill>
                ) : (
                  <Pill tone="info">{t('pledged')}</Pill>
                )}
              </li>
            ))}
          </ul>
        ) : (
          <p className="fw-muted">{t('not_pledged')}</p>
        )}
      </Panel>
    </>
  );
}
