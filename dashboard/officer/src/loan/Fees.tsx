import type { Fee } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import './data';

/** Fees beside the interest: how much, of what, when, and who gets them. */
export function Fees({ rows }: { rows: Fee[] }) {
  const { t, i18n } = useTranslation('servicing');
  const f = useFormats();
  const much = (x: Fee) => {
    if (x.fen) return f.yuan(x.fen);
    if (x.share_bp) return t('fee_of.share', { share: f.rate(x.share_bp * 10_000) });
    return t('fee_of.year', { share: f.rate((x.year_bp ?? 0) * 10_000) });
  };
  return (
    <ul className="fee-list">
      {rows.map((x) => (
        <li key={x.code}>
          {x.name[i18n.language] ?? x.name['zh-CN']} <b>{much(x)}</b>
          <small className="fw-muted">
            {t('fee_of.line', {
              when: t(`fee_of.when.${x.when}`),
              payee: t(`fee_of.payee.${x.payee}`),
            })}
          </small>
        </li>
      ))}
    </ul>
  );
}
