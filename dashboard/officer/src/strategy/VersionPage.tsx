import { ApiError } from '@furrow/shared/api/problem';
import type { OfficerStrategyVersion, VersionEvent } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Problem as Failure } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { MissingPage } from '../pages/Missing';
import { NoteDialog } from '../pieces/NoteDialog';
import { Page, Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { Bench } from './Bench';
import { BackTest, ShadowPanel } from './Compare';
import { usePolicy, useSave, useVersion } from './data';
import { Editor } from './Editor';
import { MoveButtons } from './MoveButtons';
import { versionPath } from './Policies';
import { type Problem, problemsOf } from './problems';
import { StatusPill } from './StatusPill';
import './texts';
import './strategy.css';
import { useDraftText, useLeaveGuard } from './unsaved';

/** A version of a policy with its editor, its test bench and its way into force. */
export function VersionPage() {
  const { name = '', id = '' } = useParams();
  const [params] = useSearchParams();
  return id === 'new' ? (
    <NewVersion key={name} name={name} from={params.get('from') ?? ''} />
  ) : (
    <KeptVersion key={id} name={name} id={id} />
  );
}

/** A draft that is not kept yet, from the text of a version or of the catalogue. */
function NewVersion(props: { name: string; from: string }) {
  const policy = usePolicy(props.name);
  const base = useVersion(props.from);
  if (policy.data && !policy.found) return <MissingPage />;
  const start = (saved: string | undefined) => (
    <Workplace
      name={props.name}
      saved={saved ?? ''}
      subject={policy.found?.subject}
      basedOn={props.from}
    />
  );
  return props.from ? (
    <Await query={base}>{(v) => start(v.source)}</Await>
  ) : (
    <Await query={policy}>{() => start(policy.found?.shipped)}</Await>
  );
}

function KeptVersion(props: { name: string; id: string }) {
  const version = useVersion(props.id);
  const policy = usePolicy(props.name);
  return (
    <Await query={version}>
      {(v) => (
        <Workplace
          name={props.name}
          saved={v.source ?? ''}
          subject={policy.found?.subject}
          version={v}
          basedOn=""
        />
      )}
    </Await>
  );
}

function Workplace(props: {
  name: string;
  saved: string;
  subject: string | undefined;
  version?: OfficerStrategyVersion;
  basedOn: string;
}) {
  const { t } = useTranslation('strategy');
  const { name, saved, version } = props;
  const { id: me } = useSession().user;
  const navigate = useNavigate();
  const may = useMay();
  const save = useSave();
  const [asks, setAsks] = useState(false);
  const [problems, setProblems] = useState<Problem[]>([]);
  const { text, unsaved, change, forget } = useDraftText(version?.id ?? `new.${name}`, saved);
  const editable = may && (!version || version.status === 'draft');
  useLeaveGuard(editable && unsaved);

  const type = useCallback(
    (next: string) => {
      change(next);
      setProblems([]);
    },
    [change],
  );
  const refused = (error: unknown) => {
    if (error instanceof ApiError) setProblems(problemsOf(error.detail));
  };
  const keep = (note: string) =>
    save.mutate(
      { of: version, source: text, note, basedOn: props.basedOn },
      {
        onSuccess: (v) => {
          setAsks(false);
          setProblems([]);
          forget();
          if (v.id !== version?.id) navigate(versionPath(v.name, v.id), { replace: true });
        },
        onError: (error) => {
          refused(error);
          if (error instanceof ApiError && problemsOf(error.detail).length) setAsks(false);
        },
      },
    );
  const title = version
    ? `${name} · ${t('number', { number: version.number })}`
    : `${name} · ${t('new_draft')}`;
  return (
    <Page
      title={title}
      crumbs={[
        { to: '/policies', text: t('title') },
        { to: `/policies/${encodeURIComponent(name)}`, text: name },
      ]}
      lead={
        version ? (
          <>
            <StatusPill status={version.status} share={version.share_bp} />
            <span>{version.version}</span>
            <span>{t('by', { name: version.author_name })}</span>
            <span>{version.note}</span>
          </>
        ) : (
          t('new_lead')
        )
      }
      actions={
        <>
          {editable ? (
            <>
              {unsaved ? (
                <>
                  <span className="unsaved" role="status">
                    {t('unsaved')}
                  </span>
                  <Button
                    onClick={() => {
                      forget();
                      setProblems([]);
                    }}
                  >
                    {t('discard')}
                  </Button>
                </>
              ) : null}
              <Button
                type={unsaved ? 'primary' : 'default'}
                disabled={!unsaved && !!version}
                onClick={() => {
                  save.reset();
                  setAsks(true);
                }}
              >
                {t('save')}
              </Button>
            </>
          ) : null}
          {version && may ? (
            <MoveButtons
              version={version}
              unsaved={editable && unsaved}
              own={version.author === me}
            />
          ) : null}
          {version && may && version.status !== 'draft' ? (
            <Button
              onClick={() =>
                navigate(`/policies/${encodeURIComponent(name)}/new?from=${version.id}`)
              }
            >
              {t('draft_from')}
            </Button>
          ) : null}
        </>
      }
    >
      {save.error && !asks && problems.length === 0 ? <Failure error={save.error} compact /> : null}
      <div className="split workplace">
        <Editor text={text} problems={problems} onChange={editable ? type : undefined} />
        <div>
          <Bench source={text} subject={props.subject} onError={refused} />
          {version ? <History events={version.events ?? []} /> : null}
        </div>
      </div>
      {version ? <BackTest id={version.id} unsaved={editable && unsaved} /> : null}
      {version?.status === 'shadow' ? <ShadowPanel id={version.id} /> : null}
      {asks ? (
        <NoteDialog
          title={t('save_title')}
          label={t('save_note')}
          ok={t('save')}
          pending={save.isPending}
          error={save.error}
          onOk={keep}
          onCancel={() => setAsks(false)}
        />
      ) : null}
    </Page>
  );
}

/** Who moved the version from where to where, newest first. */
function History({ events }: { events: VersionEvent[] }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  return (
    <Panel title={t('history')}>
      <ol className="steps">
        {[...events].reverse().map((e) => (
          <li key={e.at + e.to}>
            <span className="fw-row">
              <StatusPill status={e.to} /> {e.actor_name}
              <time className="fw-muted" dateTime={e.at}>
                {f.time(e.at)}
              </time>
            </span>
            {e.note ? <q>{e.note}</q> : null}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
