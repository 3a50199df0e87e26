import { DownloadOutlined, InboxOutlined } from '@ant-design/icons';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Alert, Button, Spin, Upload as Uploader } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { Remarks } from '../piece/Remarks';
import { batchTemplate, useBatch } from './data';

/** Proposes the receivables of a file: a trial first, then all of them or none. */
export function Batch() {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const navigate = useNavigate();
  const [file, setFile] = useState<File>();
  const trial = useBatch();
  const write = useBatch();
  useTitle(t('batch.title'));

  const look = (chosen: File) => {
    setFile(chosen);
    write.reset();
    trial.mutate({ file: chosen, dry: true });
  };
  const put = () =>
    file &&
    write.mutate(
      { file, dry: false },
      { onSuccess: (b) => b.written && navigate(`/receivables?batch=${b.id}`) },
    );
  // The books may have changed between the trial and the writing.
  const found = write.data ?? trial.data;
  return (
    <>
      <p>
        <Link to="/receivables">{t('owed.back')}</Link>
      </p>
      <h1>{t('batch.title')}</h1>
      <p className="fw-muted a-lead">{t('batch.intro')}</p>
      <p>
        <Button href={batchTemplate} download icon={<DownloadOutlined />}>
          {t('batch.template')}
        </Button>
      </p>
      <Spin spinning={trial.isPending} description={t('batch.looking', { name: file?.name ?? '' })}>
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
          <p>{t('batch.drop')}</p>
        </Uploader.Dragger>
      </Spin>
      {trial.error ? <Problem error={trial.error} /> : null}
      {found && file ? (
        <section>
          <h2>{file.name}</h2>
          {found.bad ? (
            <>
              <Alert
                className="a-notice"
                type="error"
                showIcon
                title={t('batch.bad', { bad: f.integer(found.bad), rows: f.integer(found.rows) })}
              />
              <Remarks errors={found.errors ?? []} />
            </>
          ) : (
            <>
              <p>
                {t('batch.good', { rows: f.integer(found.rows), amount: f.yuan(found.amount) })}
              </p>
              <Button type="primary" size="large" loading={write.isPending} onClick={put}>
                {t('batch.write')}
              </Button>
            </>
          )}
        </section>
      ) : null}
      {write.error ? <Problem compact error={write.error} /> : null}
    </>
  );
}
