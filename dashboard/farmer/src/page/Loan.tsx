import { idempotencyKey } from '@furrow/shared/api/client';
import type { Loan as LoanData } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { fen, judge } from '../apply/amount';
import { useLoan, useRepay } from '../data';
import { Money } from '../ui/Money';
import { Plan } from '../ui/Plan';
import { Facts, Part, Screen } from '../ui/Screen';

export function Loan() {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const { id = '' } = useParams();
  const loan = useLoan(id);
  return (
    <Screen title={t('title')} back="/">
      <Await query={loan} lines={10}>
        {({ loan: l, schedule }) => (
          <>
            <div className="f-verdict" data-state={l.state}>
              {l.overdue_amount ? (
                <>
                  <h2>{t('overdue_amount')}</h2>
                  <p className="f-limit f-late">{f.yuan(l.overdue_amount)}</p>
                </>
              ) : l.next_due ? (
                <>
                  <h2>{t('next')}</h2>
                  <p className="f-limit">{f.yuan(l.next_amount)}</p>
                  <p>{f.date(l.next_due)}</p>
                </>
              ) : (
                <h2>{t(`home:loan_state.${l.state}`)}</h2>
              )}
              {l.state === 'active' || l.state === 'overdue' ? <Repay loan={l} /> : null}
            </div>
            <Facts
              of={[
                [t('principal'), f.yuan(l.principal)],
                [t('outstanding'), f.yuan(l.outstanding)],
                [t('rate'), f.rate(l.rate)],
                [t('method_name'), t(`method.${l.method}`)],
                ...(l.credit ? [[t('credit'), f.yuan(l.credit)] as [string, string]] : []),
                ...(l.penalty ? [[t('penalty'), f.yuan(l.penalty)] as [string, string]] : []),
              ]}
            />
            <Part title={t('plan')}>
              <Plan rows={schedule ?? []} states />
            </Part>
            <p>
              <Link to={`/applications/${l.application_id}`}>{t('back_to')}</Link>
            </p>
          </>
        )}
      </Await>
    </Screen>
  );
}

function Repay({ loan }: { loan: LoanData }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const repay = useRepay(loan.id);
  const [yuan, setYuan] = useState('');
  // One key for one wish: it is renewed with the amount and after it was taken.
  const key = useRef({ yuan: '', key: '' });
  const amount = fen(yuan);
  const wrong = yuan && judge(amount, 1, Number.MAX_SAFE_INTEGER);
  const now = loan.overdue_amount || loan.next_amount;
  const send = async () => {
    if (!amount || wrong) return;
    if (key.current.yuan !== yuan) key.current = { yuan, key: idempotencyKey() };
    await repay.mutateAsync({ amount, key: key.current.key });
    key.current = { yuan: '', key: '' };
    setYuan('');
    Toast.show({ icon: 'success', content: t('repay_done') });
  };
  return (
    <>
      <Money
        label={t('repay_amount')}
        value={yuan}
        onChange={setYuan}
        wrong={wrong ? t('not_amount') : ''}
      />
      <div className="f-quick">
        {now ? (
          <button type="button" onClick={() => setYuan(String(now / 100))}>
            {t('fill_next', { amount: f.yuan(now) })}
          </button>
        ) : null}
      </div>
      {repay.error ? <Problem compact error={repay.error} /> : null}
      <Button
        block
        color="primary"
        size="large"
        disabled={!amount || !!wrong}
        loading={repay.isPending}
        onClick={() => void send().catch(() => undefined)}
      >
        {t('repay')}
      </Button>
    </>
  );
}
