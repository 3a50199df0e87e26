import { useFormats } from '@furrow/shared/format';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { DropFile } from '../piece/DropFile';
import { Remarks } from '../piece/Remarks';
import { batchTemplate, useBatch } from './data';

/** Proposes the receivables of a file: a trial first, then all of them or none. */
export function Batch() {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const navigate = useNavigate();
  const trial = useBatch();
  const write = useBatch();
  useTitle(t('batch.title'));

  const put = (file: File) =>
    write.mutate(
      { file, dry: false },
      { onSuccess: (b) => b.written && navigate(`/receivables?batch=${b.id}`) },
    );
  return (
    <>
      <p>
        <Link to="/receivables">{t('owed.back')}</Link>
      </p>
      <h1>{t('batch.title')}</h1>
      <p className="fw-muted a-lead">{t('batch.intro')}</p>
      <DropFile
        template={batchTemplate}
        texts={{
          template: t('batch.template'),
          looking: (name) => t('batch.looking', { name }),
          drop: t('batch.drop'),
        }}
        trial={trial}
        write={write}
        attempt={(file) => ({ file, dry: true })}
        found={(report, file) =>
          report.bad ? (
            <>
              <Alert
                className="a-notice"
                type="error"
                showIcon
                title={t('batch.bad', { bad: f.integer(report.bad), rows: f.integer(report.rows) })}
              />
              <Remarks errors={report.errors ?? []} />
            </>
          ) : (
            <>
              <p>
                {t('batch.good', { rows: f.integer(report.rows), amount: f.yuan(report.amount) })}
              </p>
              <Button
                type="primary"
                size="large"
                loading={write.isPending}
                onClick={() => put(file)}
              >
                {t('batch.write')}
              </Button>
            </>
          )
        }
      />
    </>
  );
}
