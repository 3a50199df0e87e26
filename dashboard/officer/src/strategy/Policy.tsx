import type { PolicyInUse, PolicyVersion } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { MissingPage } from '../pages/Missing';
import { Facts, Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { usePolicy, useVersions } from './data';
import { shortId, versionPath } from './Policies';
import { StatusPill } from './StatusPill';
import './texts';
import './strategy.css';

/** A policy: what decides now, and all its versions. */
export function PolicyPage() {
  const { t } = useTranslation('strategy');
  const { name = '' } = useParams();
  const policy = usePolicy(name);
  const versions = useVersions(name);
  const navigate = useNavigate();
  const may = useMay();
  if (policy.data && !policy.found) return <MissingPage />;
  const champion = policy.found?.versions?.find((v) => v.status === 'champion');
  const from = champion ? `?from=${champion.id}` : '';
  return (
    <Page
      title={name}
      crumbs={[{ to: '/policies', text: t('title') }]}
      actions={
        may ? (
          <Button
            type="primary"
            onClick={() => navigate(`/policies/${encodeURIComponent(name)}/new${from}`)}
          >
            {t('new_draft')}
          </Button>
        ) : null
      }
    >
      <div className="split">
        <Panel title={t('versions')} flush>
          <Await query={versions}>{(list) => <Timeline name={name} versions={list} />}</Await>
        </Panel>
        <Panel title={t('now')}>
          <Await query={policy}>
            {() => (policy.found ? <Now policy={policy.found} /> : null)}
          </Await>
        </Panel>
      </div>
    </Page>
  );
}

function Now({ policy }: { policy: PolicyInUse }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  const w = useWords();
  const of = (status: string) => (policy.versions ?? []).filter((v) => v.status === status);
  const [challenger] = of('challenger');
  const link = (v: PolicyVersion) => (
    <Link to={versionPath(policy.name, v.id)}>
      {t('number', { number: v.number })} · {v.version}
    </Link>
  );
  const champion = of('champion')[0];
  const share = challenger?.share_bp ?? 0;
  return (
    <>
      <Facts
        rows={[
          [t('subject'), w.word('subject', policy.subject)],
          [t('decides'), <code key="id">{shortId(policy.decides)}</code>],
          [
            t('status.champion'),
            champion ? link(champion) : <Pill tone="calm">{t('shipped')}</Pill>,
          ],
          [
            t('status.challenger'),
            challenger ? (
              <>
                {link(challenger)} · {t('share_of', { share: f.percent1(share / 10_000) })}
              </>
            ) : (
              t('no_challenger')
            ),
          ],
          [
            t('status.shadow'),
            of('shadow').length ? (
              <span className="fw-row">
                {of('shadow').map((v) => (
                  <span key={v.id}>{link(v)}</span>
                ))}
              </span>
            ) : (
              t('no_shadow')
            ),
          ],
        ]}
      />
      {challenger ? (
        <div className="arms" aria-hidden="true">
          <i style={{ width: `${100 - share / 100}%` }} />
          <i style={{ width: `${share / 100}%` }} />
        </div>
      ) : null}
    </>
  );
}

/** The versions, newest first. */
function Timeline(props: { name: string; versions: PolicyVersion[] }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  if (props.versions.length === 0) return <Empty text={t('no_versions')} />;
  return (
    <ol className="versions">
      {props.versions.map((v) => (
        <li key={v.id} data-status={v.status}>
          <div className="fw-row">
            <Link to={versionPath(props.name, v.id)}>
              {t('number', { number: v.number })} · {v.version}
            </Link>
            <StatusPill status={v.status} share={v.share_bp} />
            <time className="fw-muted" dateTime={v.updated_at}>
              {f.time(v.updated_at)}
            </time>
          </div>
          <p>{v.note}</p>
          <small className="fw-muted">{t('by', { name: v.author_name })}</small>
        </li>
      ))}
    </ol>
  );
}
