import { useTranslation } from 'react-i18next';
import { Sub } from '../ledger/Sub';

/** The ways between orders and sellers. */
export function PurchaseSub() {
  const { t } = useTranslation('purchase');
  return (
    <Sub
      label={t('purchases')}
      places={[
        { to: '/purchases', text: t('purchases') },
        { to: '/sellers', text: t('sellers') },
      ]}
    />
  );
}

/** The ways between payment orders and the comparison with the bank. */
export function PaymentSub() {
  const { t } = useTranslation('purchase');
  return (
    <Sub
      label={t('payments')}
      places={[
        { to: '/payments', text: t('payments') },
        { to: '/statements', text: t('statements') },
      ]}
    />
  );
}
