import type { ImportReport, RowError } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { DropFile } from '../piece/DropFile';
import { Remarks } from '../piece/Remarks';
import { tableTemplate, useTable } from './data';
import { rowErrors } from './remark';

/** Brings the firms of a table: a trial first, then all of them or the good ones. */
export function Table() {
  const { t } = useTranslation('bring');
  const trial = useTable();
  const write = useTable();
  useTitle(t('file.title'));
  return (
    <>
      <p>
        <Link to="/bring">{t('file.back')}</Link>
      </p>
      <h1>{t('file.title')}</h1>
      <p className="fw-muted a-lead">{t('file.intro')}</p>
      <DropFile
        template={tableTemplate}
        texts={{
          template: t('file.template'),
          looking: (name) => t('file.looking', { name }),
          drop: t('file.drop'),
        }}
        trial={trial}
        write={write}
        attempt={(file) => ({ file, dry: true, skip: false })}
        found={(report, file) => (
          <Found
            report={report}
            pending={write.isPending}
            put={(skip) => write.mutate({ file, dry: false, skip })}
          />
        )}
      />
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
