import type { CellRemark, UploadReport, UploadsLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { FileForm } from '../pieces/FileForm';
import { More } from '../pieces/More';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { type Kind, useUpload, useUploads } from './data';
import '../loan/loan.css';

const KINDS: Kind[] = ['bureau', 'bank'];

/** Credit reports and accounts that were uploaded, by borrower, and the upload of more. */
export function UploadsPage() {
  const { t } = useTranslation('borrower');
  const may = useMay();
  const [q, setQ] = useState('');
  const list = useUploads(q);
  const id = useId();
  const find = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setQ(String(new FormData(event.currentTarget).get('q') ?? '').trim());
  };
  return (
    <Page title={t('uploads')} lead={t('uploads_lead')}>
      {may ? <Upload /> : null}
      <Panel
        title={t('borrowers')}
        flush
        extra={
          <form className="fw-row" onSubmit={find}>
            <label htmlFor={id}>{t('login')}</label>
            <input id={id} name="q" maxLength={64} />
            <Button htmlType="submit" size="small">
              {t('find')}
            </Button>
          </form>
        }
      >
        <Await query={list}>{(rows) => <Borrowers rows={rows} found={!!q} />}</Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}

function Borrowers({ rows, found }: { rows: UploadsLine[]; found: boolean }) {
  const { t } = useTranslation('borrower');
  const f = useFormats();
  const columns: Column<UploadsLine>[] = [
    {
      key: 'name',
      title: t('name'),
      cell: (l) => <Link to={`/borrowers/${encodeURIComponent(l.user_id)}`}>{l.name}</Link>,
    },
    ...KINDS.map(
      (kind): Column<UploadsLine> => ({
        key: kind,
        title: t(`decision:${kind}.title`),
        cell: (l) => {
          const of = l.kinds.find((k) => k.kind === kind);
          if (!of) return '—';
          return (
            <>
              {t('newest', { date: f.date(of.newest), count: of.count })}{' '}
              {l.closed.includes(kind) ? <Pill tone="warn">{t('closed')}</Pill> : null}
            </>
          );
        },
      }),
    ),
  ];
  return (
    <DataTable
      label={t('borrowers')}
      rows={rows}
      columns={columns}
      rowKey={(l) => l.user_id}
      empty={t(found ? 'nobody' : 'no_uploads')}
    />
  );
}

/** A table that is tried first, with what is wrong by cell, and then kept. */
function Upload() {
  const { t } = useTranslation('borrower');
  const upload = useUpload();
  const [kind, setKind] = useState<Kind>('bureau');
  const id = useId();
  return (
    <Panel title={t('upload')}>
      <FileForm
        texts={{ file: t('file'), attempt: t('try'), keep: t('keep') }}
        sending={upload}
        good={(r) => r.dry_run && r.remarks.length === 0 && r.rows > 0}
        send={(file, dryRun) => upload.mutate({ file, kind, dryRun })}
        before={
          <div>
            <label htmlFor={id}>{t('kind')}</label>
            <select
              id={id}
              value={kind}
              onChange={(e) => {
                setKind(e.target.value as Kind);
                upload.reset();
              }}
            >
              {KINDS.map((k) => (
                <option key={k} value={k}>
                  {t(`decision:${k}.title`)}
                </option>
              ))}
            </select>
          </div>
        }
      />
      <p className="fw-muted">{t(`columns.${kind}`)}</p>
      {upload.error ? <Problem error={upload.error} compact /> : null}
      {upload.data ? <Report report={upload.data} /> : null}
    </Panel>
  );
}

function Report({ report }: { report: UploadReport }) {
  const { t } = useTranslation('borrower');
  const f = useFormats();
  const columns: Column<CellRemark>[] = [
    { key: 'cell', title: t('cell'), cell: (r) => <code>{r.cell}</code> },
    { key: 'why', title: t('why'), cell: (r) => r.why },
  ];
  return (
    <div role="status" data-saved={report.saved}>
      <Figures
        items={[
          { name: t('rows'), value: f.integer(report.rows) },
          { name: t('borrowers'), value: f.integer(report.borrowers) },
          { name: t('wrong_cells'), value: f.integer(report.remarks.length) },
          {
            name: t('kept'),
            value: f.integer(report.saved),
            note: report.dry_run ? t('only_tried') : undefined,
          },
        ]}
      />
      {report.remarks.length ? (
        <DataTable
          label={t('wrong_cells')}
          rows={report.remarks}
          columns={columns}
          rowKey={(r) => `${r.cell}${r.why}`}
          page={50}
        />
      ) : null}
    </div>
  );
}
