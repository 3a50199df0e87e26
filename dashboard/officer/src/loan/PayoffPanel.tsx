import type { Loan } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Facts, Panel } from '../pieces/Page';
import { usePayoff } from './data';

/** What ends the loan on any day. */
export function PayoffPanel(props: { loan: Loan }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const id = useId();
  const { loan } = props;
  const [date, setDate] = useState(loan.day_end);
  const quote = usePayoff(loan.id, date);
  return (
    <Panel
      title={t('payoff')}
      extra={
        <span className="panel-field">
          <label htmlFor={id}>{t('on_day')}</label>
          <input
            id={id}
            type="date"
            value={date}
            min={loan.day_end}
            onChange={(e) => setDate(e.target.value)}
          />
        </span>
      }
    >
      <Await query={quote} lines={4}>
        {(q) => (
          <Facts
            rows={[
              [t('principal'), f.yuan(q.principal)],
              [t('interest'), f.yuan(q.interest)],
              ...(q.fee ? [[t('fee'), f.yuan(q.fee)] as [string, string]] : []),
              ...(q.penalty ? [[t('penalty'), f.yuan(q.penalty)] as [string, string]] : []),
              ...(q.credit ? [[t('credit_held'), f.yuan(-q.credit)] as [string, string]] : []),
              [
                t('to_pay'),
                <b key="total" data-payoff={q.total}>
                  {f.yuan(q.total)}
                </b>,
              ],
            ]}
          />
        )}
      </Await>
    </Panel>
  );
}
