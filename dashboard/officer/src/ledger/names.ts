import { useTranslation } from 'react-i18next';
import { useTrial } from './data';

/** Names of accounts, from the chart, and of kinds of entries. */
export function useBookWords() {
  const { t, i18n } = useTranslation('ledger');
  const trial = useTrial('', '');
  return {
    account: (code: string) =>
      trial.data?.lines.find((l) => l.code === code)?.name[i18n.language] ?? code,
    entry: (kind: string) => t(`entry.${kind}`, { defaultValue: kind }),
  };
}
