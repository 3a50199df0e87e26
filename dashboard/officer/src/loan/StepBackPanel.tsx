import type { Loan } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { Button, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Facts, Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { newKey, useCooling, useStepBack } from './data';

/** Gives the money of a loan back for a borrower at the counter, within the days of cooling off. */
export function StepBackPanel({ loan }: { loan: Loan }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const may = useMay();
  const cooling = useCooling(loan);
  const back = useStepBack(loan.id);
  const [key] = useState(newKey);
  const [open, setOpen] = useState(false);
  const c = cooling.data;
  if (!may || !c) return null;
  return (
    <Panel title={t('step_back')} className="step-back">
      <p>{t('step_back_lead', { day: f.date(c.last) })}</p>
      <Facts
        rows={[
          [t('principal'), f.yuan(c.quote.principal)],
          [t('interest'), f.yuan(c.quote.interest)],
          ...(c.quote.credit
            ? [[t('credit_held'), f.yuan(-c.quote.credit)] as [string, string]]
            : []),
          ...(c.fees ? [[t('fees_undone'), f.yuan(c.fees)] as [string, string]] : []),
          [
            t('to_pay'),
            <b key="total" data-step-back={c.quote.total}>
              {f.yuan(c.quote.total)}
            </b>,
          ],
        ]}
      />
      <Button danger onClick={() => setOpen(true)}>
        {t('step_back_do')}
      </Button>
      {open ? (
        <Modal
          open
          title={t('step_back_do')}
          okText={t('step_back_ok', { amount: f.yuan(c.quote.total) })}
          okButtonProps={{ danger: true, loading: back.isPending }}
          onOk={() =>
            back.mutate({ key, amount: c.quote.total }, { onSuccess: () => setOpen(false) })
          }
          onCancel={() => setOpen(false)}
        >
          <p>{t('step_back_sure', { name: loan.user_name, amount: f.yuan(c.quote.total) })}</p>
          {back.error ? <Problem error={back.error} compact /> : null}
        </Modal>
      ) : null}
    </Panel>
  );
}
