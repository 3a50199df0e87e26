import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { useAgreement, useChoose, useFunders } from './data';
import { share } from './period';
import '../ledger/book.css';

/** By which agreement an application is shared with others, from its next drawdown on. */
export function AgreementPanel({ applicationId }: { applicationId: string }) {
  const { t, i18n } = useTranslation('fund');
  const f = useFormats();
  const may = useMay();
  const choice = useAgreement(applicationId);
  const book = useFunders();
  const choose = useChoose(applicationId);
  if (!choice.data || !book.data || (!choice.data.open.length && !choice.data.chosen)) return null;
  const { chosen, open } = choice.data;
  const { agreements, funders } = book.data;
  const name = (code: string) =>
    agreements.findLast((a) => a.code === code)?.name[i18n.language] ?? code;
  const funder = (code: string) =>
    code ? (funders.find((x) => x.code === code)?.name[i18n.language] ?? code) : t('bank');
  const parties = agreements.findLast((a) => a.code === chosen)?.parties ?? [];
  return (
    <Panel title={t('sharing')}>
      {may ? (
        <select
          aria-label={t('sharing')}
          className="agreement-choice"
          value={chosen}
          disabled={choose.isPending}
          onChange={(e) => choose.mutate(e.target.value)}
        >
          <option value="">{t('of_product')}</option>
          {open.map((code) => (
            <option key={code} value={code}>
              {name(code)}
            </option>
          ))}
        </select>
      ) : (
        <p>{chosen ? name(chosen) : t('of_product')}</p>
      )}
      <p className="fw-muted">
        {parties.map((p) => `${funder(p.funder)} ${f.percent(share(p.share_bp))}`).join(' · ')}{' '}
        {t('choice_note')}
      </p>
      {choose.error ? <Problem error={choose.error} compact /> : null}
    </Panel>
  );
}
