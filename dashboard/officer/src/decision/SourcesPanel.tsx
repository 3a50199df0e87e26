import type { Consent, Evidence, Source } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import './texts';
import './decision.css';

/**
 * Where each part of the evidence comes from, how sure it is, and who agreed to it.
 * `withdrawn` are the consents that were taken back since, by id.
 */
export function SourcesPanel(props: { evidence: Evidence; withdrawn?: Record<string, string> }) {
  const { t } = useTranslation('decision');
  const { sources = [], consents = [] } = props.evidence;
  if (sources.length === 0 && consents.length === 0) return null;
  return (
    <Panel
      title={t('sources')}
      className="sources"
      flush
      extra={
        <Link to={`/borrowers/${encodeURIComponent(props.evidence.applicant.user_id)}`}>
          {t('to_borrower')}
        </Link>
      }
    >
      {sources.length ? <Sources of={sources} taken={props.evidence.taken_at} /> : null}
      {consents.length ? <Consents of={consents} withdrawn={props.withdrawn ?? {}} /> : null}
    </Panel>
  );
}

function Sources(props: { of: Source[]; taken: string }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  return (
    <Scroll label={t('sources')}>
      <table className="fw-table">
        <thead>
          <tr>
            <th scope="col">{t('part_of')}</th>
            <th scope="col">{t('from')}</th>
            <th scope="col">{t('at')}</th>
            <th scope="col">{t('version')}</th>
            <th scope="col">{t('uncertainty')}</th>
          </tr>
        </thead>
        <tbody>
          {props.of.map((s) => (
            <tr key={s.part} data-missing={s.missing ? true : undefined}>
              <th scope="row">{t(`part.${s.part}`)}</th>
              {s.missing ? (
                <td colSpan={4}>
                  <Pill tone="warn">{t('none')}</Pill>{' '}
                  {t(`missing_why.${s.missing}`, { defaultValue: s.missing })}
                </td>
              ) : (
                <>
                  <td>{named(t, s.from)}</td>
                  <td>
                    {s.at ? (
                      <time dateTime={s.at} title={f.ago(s.at, Date.parse(props.taken))}>
                        {f.time(s.at)}
                      </time>
                    ) : (
                      '—'
                    )}
                  </td>
                  <td>
                    <code>{s.version || '—'}</code>
                  </td>
                  <td>
                    <span className="unsure" aria-hidden="true">
                      <i style={{ width: `${100 * Math.min(Math.max(s.uncertainty, 0), 1)}%` }} />
                    </span>
                    {f.percent(s.uncertainty)}
                  </td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** A source in the reader's words; an uploaded file by the beginning of its hash. */
function named(t: TFunction<'decision'>, from: string) {
  const hash = /^upload ([0-9a-f]{12})/.exec(from)?.[1];
  return hash ? t('source.upload', { hash }) : t(`source.${from}`, { defaultValue: from });
}

function Consents(props: { of: Consent[]; withdrawn: Record<string, string> }) {
  const { t } = useTranslation('decision');
  const f = useFormats();
  return (
    <section className="consents">
      <h3>{t('consents')}</h3>
      <ul>
        {props.of.map((c) => (
          <li key={c.id}>
            <b>{t(`part.${c.part}`, { defaultValue: c.part })}</b>{' '}
            {t(`for.${c.purpose}`, { defaultValue: c.purpose })}
            <span className="fw-muted"> · {f.time(c.given_at)}</span>{' '}
            <code title={c.text}>{c.text.slice(0, 12)}</code>{' '}
            {props.withdrawn[c.id] ? (
              <Pill tone="warn">{t('withdrawn_on', { time: f.time(props.withdrawn[c.id]) })}</Pill>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
