import { DownloadOutlined, InboxOutlined } from '@ant-design/icons';
import type { DocKind } from '@furrow/shared/api/types';
import { Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Alert, Button, Spin, Upload as Uploader } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useSearchParams } from 'react-router';
import { KINDS, MAX_MIB, templateUrl, useCheck } from '../data';
import { judgeFile, largest, mib } from '../file';

/** Choose a kind, take the template, drop the file; the check opens the result. */
export function Upload() {
  const { t } = useTranslation('upload');
  const navigate = useNavigate();
  const [search, setSearch] = useSearchParams();
  const [refused, setRefused] = useState('');
  const check = useCheck();
  const name = useId();
  useTitle(t('title'));

  const wanted = search.get('kind') as DocKind;
  const kind = KINDS.includes(wanted) ? wanted : 'suppliers';

  const send = async (file: File) => {
    const fault = judgeFile(file);
    setRefused(
      fault ? t(fault, { name: file.name, size: mib(file.size), mib: largest(file.name) }) : '',
    );
    check.reset();
    if (fault) return;
    const upload = await check.mutateAsync({ kind, file });
    navigate(`/uploads/${upload.id}`);
  };

  return (
    <>
      <h1>{t('title')}</h1>
      <p className="fw-muted a-lead">{t('intro')}</p>
      <fieldset className="a-kinds">
        <legend>{t('kind_ask')}</legend>
        {KINDS.map((k) => (
          <label key={k}>
            <input
              type="radio"
              name={name}
              checked={k === kind}
              onChange={() => setSearch({ kind: k }, { replace: true })}
            />
            <span>
              <b>{t(`kind.${k}`)}</b>
              <small>{t(`kind_about.${k}`)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <h2>{t('template_ask')}</h2>
      <p>
        <Button href={templateUrl(kind)} download icon={<DownloadOutlined />}>
          {t('template', { kind: t(`kind.${kind}`) })}
        </Button>
      </p>
      <p className="fw-muted">{t('template_about')}</p>
      <h2>{t('file_ask')}</h2>
      <p>{t('limits', MAX_MIB)}</p>
      <Spin
        spinning={check.isPending}
        description={t('sending', { name: check.variables?.file.name ?? '' })}
      >
        <Uploader.Dragger
          accept=".xlsx,.csv"
          maxCount={1}
          showUploadList={false}
          disabled={check.isPending}
          beforeUpload={(file) => {
            void send(file).catch(() => undefined);
            return false;
          }}
        >
          <p className="a-drop-icon">
            <InboxOutlined />
          </p>
          <p>{t('drop')}</p>
        </Uploader.Dragger>
      </Spin>
      {refused ? <Alert className="a-notice" type="error" showIcon title={refused} /> : null}
      {check.error ? <Problem error={check.error} /> : null}
    </>
  );
}
