import { useTranslation } from 'react-i18next';
import type { CropReport } from '../api/types';
import { useFormats } from '../format';
import { portrait } from '../portrait';

/** The season of a plot in a few sentences. */
export function Portrait(props: { report: CropReport; className?: string }) {
  const { t } = useTranslation('portrait');
  const f = useFormats();
  const told = portrait(props.report, f);
  if (told.length === 0) return <p className="fw-muted">{t('nothing')}</p>;
  return (
    <p className={props.className}>
      {told.map((s) => (
        <span key={s.key}>
          {t(s.key, s.values)}
          {f.language === 'en' ? ' ' : ''}
        </span>
      ))}
    </p>
  );
}
