import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { Alert, Button, Popconfirm } from 'antd';
import { useTranslation } from 'react-i18next';
import { Remarks } from '../piece/Remarks';
import { useConfirmBatch } from './data';

/** Confirms all receivables that one file brought; `open` says whether any waits for it. */
export function ConfirmAll({ id, open }: { id: string; open: boolean }) {
  const { t } = useTranslation('receivable');
  const { t: tu } = useTranslation('upload');
  const f = useFormats();
  const confirm = useConfirmBatch(id);
  const done = confirm.data;
  return (
    <>
      {done && done.bad === 0 ? (
        <Alert
          className="a-notice"
          type="success"
          showIcon
          title={t('batch.confirmed', { count: done.rows, amount: f.yuan(done.amount) })}
        />
      ) : null}
      {open && !(done && done.bad === 0) ? (
        <p>
          <Popconfirm
            title={t('batch.confirm_ask')}
            okText={tu('yes')}
            cancelText={tu('no')}
            onConfirm={() => confirm.mutate()}
          >
            <Button type="primary" loading={confirm.isPending}>
              {t('batch.confirm')}
            </Button>
          </Popconfirm>
        </p>
      ) : null}
      {done?.errors?.length ? <Remarks errors={done.errors} /> : null}
      {confirm.error ? <Problem compact error={confirm.error} /> : null}
    </>
  );
}
