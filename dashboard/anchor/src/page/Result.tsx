import { DownloadOutlined } from '@ant-design/icons';
import type { Upload } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Alert, App, Button, Popconfirm } from 'antd';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { save } from '../csv';
import { busy, useCommit, useErrorFile, useRefresh, useUndo, useUpload } from '../data';
import { stem } from '../file';
import { Remarks } from '../piece/Remarks';
import { StateTag } from '../piece/StateTag';

/** What the check of one file found, cell by cell, and what to do with it. */
export function Result() {
  const { t } = useTranslation('upload');
  const { id = '' } = useParams();
  const upload = useUpload(id);
  useTitle(upload.data ? `${t('result')} · ${upload.data.file_name}` : t('result'));
  return (
    <>
      <h1>{t('result')}</h1>
      <Await query={upload} lines={8}>
        {(u) => <Found upload={u} />}
      </Await>
    </>
  );
}

function Found({ upload: u }: { upload: Upload }) {
  const { t } = useTranslation('upload');
  const f = useFormats();
  const twin = useUpload(u.same_as ?? '').data;
  useTold(u);
  const counts = [
    ['rows', u.rows],
    ['good', u.good],
    ['known', u.known],
    ['bad', u.bad],
  ] as const;
  return (
    <>
      <dl className="a-file">
        <div>
          <dt>{t('file')}</dt>
          <dd>
            {u.file_name} · {t(`kind.${u.kind}`)}
          </dd>
        </div>
        <div>
          <dt>{t('who')}</dt>
          <dd>
            {u.user_name} · {f.time(u.created_at)}
          </dd>
        </div>
        <div>
          <dt>{t('hash')}</dt>
          <dd>{u.sha256 ? <code title={u.sha256}>{u.sha256.slice(0, 12)}</code> : t('not_yet')}</dd>
        </div>
        <div>
          <dt>
            <StateTag upload={u} />
          </dt>
          <dd>{u.done_at ? f.time(u.done_at) : null}</dd>
        </div>
      </dl>
      {twin ? (
        <Alert
          className="a-notice"
          type="warning"
          showIcon
          title={t('same_file', { time: f.time(twin.created_at), state: t(`state.${twin.state}`) })}
          action={<Link to={`/uploads/${twin.id}`}>{t('history:open')}</Link>}
        />
      ) : null}
      {u.failure ? (
        <Alert
          className="a-notice"
          type="error"
          showIcon
          title={t('failed', { time: f.time(u.failure.at) })}
          description={<span data-code={u.failure.code}>{u.failure.message}</span>}
        />
      ) : null}
      {busy(u) ? <Progress upload={u} /> : null}
      {u.state === 'checking' || u.state === 'refused' ? null : (
        <ul className="a-counts">
          {counts.map(([name, n]) => (
            <li key={name} data-count={name} data-some={n > 0}>
              <b>{f.integer(n)}</b>
              {t(name)}
            </li>
          ))}
        </ul>
      )}
      {busy(u) ? null : <Actions upload={u} />}
      {u.state === 'checking' ? null : <Errors upload={u} />}
    </>
  );
}

/** Says once that the work that was watched has ended, and looks again at what it changed. */
function useTold(u: Upload) {
  const { t } = useTranslation('upload');
  const { message } = App.useApp();
  const refresh = useRefresh();
  const before = useRef(u.state);
  useEffect(() => {
    const was = before.current;
    before.current = u.state;
    if (was === u.state) return;
    refresh();
    if (was === 'committing' && u.state === 'checked') void message.warning(t('taken_back'));
    if (u.state === 'committed') void message.success(t('committed', { count: u.good }));
  }, [u.state, u.good, refresh, message, t]);
}

/** How far the server is; the page may be left meanwhile. */
function Progress({ upload: u }: { upload: Upload }) {
  const { t } = useTranslation('upload');
  const f = useFormats();
  const done = f.integer(u.rows_done);
  const told = u.rows_total
    ? t('rows_of', { done, total: f.integer(u.rows_total) })
    : t('rows_so_far', { done });
  return (
    <div className="a-progress">
      <p>
        <b>{t(`state.${u.state}`)}</b> <span>{told}</span>
      </p>
      <progress
        aria-label={t(`state.${u.state}`)}
        {...(u.rows_total ? { value: u.rows_done, max: u.rows_total } : {})}
      />
      <p className="fw-muted">{t(u.state === 'checking' ? 'leave_check' : 'leave_commit')}</p>
    </div>
  );
}

/** The one thing to do next, and the way out. */
function Actions({ upload: u }: { upload: Upload }) {
  const { t } = useTranslation('upload');
  const { message } = App.useApp();
  const navigate = useNavigate();
  const commit = useCommit(u.id);
  const undo = useUndo(u.id);
  const another = (
    <Link className="fw-button" to={`/?kind=${u.kind}`}>
      {t('another')}
    </Link>
  );

  if (u.state === 'lapsed' || u.state === 'refused')
    return (
      <>
        <p>{t(u.state === 'lapsed' ? 'lapsed_why' : 'refused_why')}</p>
        <p className="fw-row">{another}</p>
      </>
    );
  if (u.state === 'undone') return <p className="fw-row">{another}</p>;
  if (u.state === 'committed')
    return (
      <>
        <p className="fw-row">
          {another}
          <Popconfirm
            title={t('undo_ask')}
            okText={t('yes')}
            cancelText={t('no')}
            onConfirm={async () => {
              await undo.mutateAsync().then(
                () => message.success(t('undone')),
                () => undefined,
              );
            }}
          >
            <Button danger loading={undo.isPending}>
              {t('undo')}
            </Button>
          </Popconfirm>
        </p>
        {undo.error ? <Problem compact error={undo.error} /> : null}
      </>
    );

  const told =
    u.good === 0
      ? t(u.bad ? 'none_good' : 'nothing_new')
      : u.bad
        ? t('some_bad', { bad: u.bad, good: u.good })
        : t('all_good');
  return (
    <>
      <p>{told}</p>
      <p className="fw-row">
        {u.good ? (
          <Button
            type="primary"
            size="large"
            loading={commit.isPending}
            onClick={() => commit.mutate(u.bad > 0)}
          >
            {t(u.bad ? 'commit_good' : 'commit_all', { count: u.good })}
          </Button>
        ) : (
          another
        )}
        <Popconfirm
          title={t('discard_ask')}
          okText={t('yes')}
          cancelText={t('no')}
          onConfirm={() => navigate(`/?kind=${u.kind}`)}
        >
          <Button size="large">{t('discard')}</Button>
        </Popconfirm>
      </p>
      {commit.error ? <Problem compact error={commit.error} /> : null}
    </>
  );
}

function Errors({ upload: u }: { upload: Upload }) {
  const { t } = useTranslation('upload');
  const f = useFormats();
  const file = useErrorFile(u.id);
  const errors = u.errors ?? [];
  if (!errors.length) return null;
  const take = () =>
    file.mutate(undefined, {
      onSuccess: (bytes) => save(`${stem(u.file_name)}-${t('errors_file')}.xlsx`, bytes),
    });
  return (
    <section>
      <div className="a-line">
        <h2>{t('errors')}</h2>
        {u.bad > 0 && u.state !== 'refused' && u.state !== 'lapsed' ? (
          <Button icon={<DownloadOutlined />} loading={file.isPending} onClick={take}>
            {t('download_errors')}
          </Button>
        ) : null}
      </div>
      {u.bad > 0 && u.state !== 'refused' ? (
        <p className="fw-muted">{t('errors_about', { count: f.integer(u.bad) })}</p>
      ) : null}
      {file.error ? <Problem compact error={file.error} /> : null}
      <Remarks errors={errors} />
    </section>
  );
}
