import { DownloadOutlined, InboxOutlined } from '@ant-design/icons';
import type { ImportReport, RowError } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Alert, Button, Spin, Upload as Uploader } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Remarks } from '../piece/Remarks';
import { tableTemplate, useTable } from './data';
import { rowErrors } from './remark';

/** Brings the firms of a table: a trial first, then all of them or the good ones. */
export function Table() {
  const { t } = useTranslation('bring');
  const [file, setFile] = useState<File>();
  const trial = useTable();
  const write = useTable();
  useTitle(t('file.title'));

  const look = (chosen: File) => {
    setFile(chosen);
    write.reset();
    trial.mutate({ file: chosen, dry: true, skip: false });
  };
  const put = (skip: boolean) => file && write.mutate({ file, dry: false, skip });
  // The books may have changed between the trial and the writing.
  const found = write.data ?? trial.data;
  return (
    <>
      <p>
        <Link to="/bring">{t('file.back')}</Link>
      </p>
      <h1>{t('file.title')}</h1>
      <p className="fw-muted a-lead">{t('file.intro')}</p>
      <p>
        <Button href={tableTemplate} download icon={<DownloadOutlined />}>
          {t('file.template')}
        </Button>
      </p>
      <Spin spinning={trial.isPending} description={t('file.looking', { name: file?.name ?? '' })}>
        <Uploader.Dragger
          accept=".xlsx,.csv"
          maxCount={1}
          showUploadList={false}
          disabled={trial.isPending || write.isPending}
          beforeUpload={(chosen) => {
            look(chosen);
            return false;
          }}
        >
          <p className="a-drop-icon">
            <InboxOutlined />
          </p>
          <p>{t('file.drop')}</p>
        </Uploader.Dragger>
      </Spin>
      {trial.error ? <Problem error={trial.error} /> : null}
      {found && file ? (
        <section>
          <h2>{file.name}</h2>
          <Found report={found} pending={write.isPending} put={put} />
        </section>
      ) : null}
      {write.error ? <Problem compact error={write.error} /> : null}
    </>
  );
}

/** What the trial or the writing said, and what can be done now. */
function Found(props: { report: ImportReport; pending: boolean; put(skip: boolean): void }) {
  const { t } = useTranslation('bring');
  const f = useFormats();
  const { report: r } = props;
  const column = (field: string) => t(`column.${field}`, { defaultValue: field });
  const errors: RowError[] = rowErrors(r.remarks ?? [], column);
  const fresh = r.good - r.known;
  const written = !r.dry_run && (errors.length === 0 || r.created > 0);
  const counts = { rows: f.integer(r.rows), good: f.integer(r.good), known: f.integer(r.known) };
  return (
    <>
      <Alert
        className="a-notice"
        type={written ? 'success' : errors.length ? 'error' : 'info'}
        showIcon
        title={
          written
            ? t('file.written', { created: f.integer(r.created), known: counts.known })
            : t(errors.length ? 'file.bad' : 'file.good', counts)
        }
      />
      {written || fresh === 0 ? null : (
        <p>
          <Button
            type="primary"
            size="large"
            loading={props.pending}
            onClick={() => props.put(errors.length > 0)}
          >
            {t(errors.length ? 'file.write_good' : 'file.write', { fresh: f.integer(fresh) })}
          </Button>
        </p>
      )}
      {errors.length ? <Remarks errors={errors} /> : null}
    </>
  );
}
