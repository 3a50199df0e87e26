import { useTranslation } from 'react-i18next';
import { Sub } from './Sub';

/** The trial balance and the journal beside each other. */
export function LedgerSub() {
  const { t } = useTranslation('ledger');
  return (
    <Sub
      label={t('title')}
      places={[
        { to: '/ledger', text: t('trial') },
        { to: '/ledger/journal', text: t('journal') },
        { to: '/ledger/fees', text: t('fees.title') },
        { to: '/ledger/periods', text: t('periods') },
      ]}
    />
  );
}
