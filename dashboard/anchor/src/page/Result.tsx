import { DownloadOutlined } from '@ant-design/icons';
import type { RowError, Upload } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Alert, App, Button, Popconfirm, Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { csv, download } from '../csv';
import { useCommit, useUndo, useUpload, useUploads } from '../data';
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
  const uploads = useUploads();
  const twin = uploads.data?.items?.find((o) => o.sha256 === u.sha256 && o.id < u.id);
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
          <dd>
            <code title={u.sha256}>{u.sha256.slice(0, 12)}</code>
          </dd>
        </div>
        <div>
          <dt>
            <StateTag state={u.state} />
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
      <ul className="a-counts">
        {counts.map(([name, n]) => (
          <li key={name} data-count={name} data-some={n > 0}>
            <b>{f.integer(n)}</b>
            {t(name)}
          </li>
        ))}
      </ul>
      <Actions upload={u} />
      <Errors upload={u} />
    </>
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
  const put = () =>
    commit.mutateAsync(u.bad > 0).then(
      (done) => message.success(t('committed', { count: done.good })),
      () => undefined,
    );
  return (
    <>
      <p>{told}</p>
      <p className="fw-row">
        {u.good ? (
          <Button type="primary" size="large" loading={commit.isPending} onClick={() => void put()}>
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
  const errors = u.errors ?? [];
  if (!errors.length) return null;
  const headers = [...new Set(errors.map((e) => e.column))];
  const header = (column: string) => column || t('whole_row');
  const columns: TableColumnsType<RowError> = [
    { title: t('row'), dataIndex: 'row', width: 70, sorter: (a, b) => a.row - b.row },
    {
      title: t('column'),
      dataIndex: 'column',
      width: 160,
      render: header,
      filters: headers.map((h) => ({ text: header(h), value: h })),
      onFilter: (value, e) => e.column === value,
    },
    { title: t('cell'), dataIndex: 'cell', width: 80, render: (c: string) => <code>{c}</code> },
    {
      title: t('value'),
      dataIndex: 'value',
      width: 200,
      render: (v: string) => (v ? <span className="a-value">{v}</span> : t('blank')),
    },
    { title: t('what'), dataIndex: 'message', className: 'a-what' },
  ];
  const save = () =>
    download(
      `${u.file_name.replace(/\.\w+$/, '')}-${t('errors_file')}.csv`,
      csv([
        [t('row'), t('column'), t('cell'), t('value'), t('what')],
        ...errors.map((e) => [e.row, header(e.column), e.cell, e.value, e.message]),
      ]),
    );
  return (
    <section>
      <div className="a-line">
        <h2>{t('errors')}</h2>
        <Button icon={<DownloadOutlined />} onClick={save}>
          {t('download_errors')}
        </Button>
      </div>
      <Table<RowError>
        className="a-table"
        size="small"
        rowKey={(e) => `${e.row}/${e.cell}/${e.code}`}
        columns={columns}
        dataSource={errors}
        scroll={{ x: 720 }}
        pagination={{ defaultPageSize: 50, hideOnSinglePage: true }}
      />
    </section>
  );
}
