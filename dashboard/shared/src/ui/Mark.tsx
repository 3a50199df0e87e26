import { useTranslation } from 'react-i18next';

/** The name and sign of Furrow. */
export function Mark(props: { small?: boolean }) {
  const { t } = useTranslation();
  return (
    <span className="fw-mark">
      <svg width="28" height="28" viewBox="0 0 28 28" aria-hidden="true">
        <rect width="28" height="28" rx="6" fill="#2f5d3a" />
        <path
          d="M4 22 Q10 12 14 6 M11 23 Q13.5 13 15.5 6 M18 23 Q18 13 17 6 M25 22 Q21.5 12 18.5 6"
          stroke="#e8d9a8"
          strokeWidth="1.8"
          strokeLinecap="round"
          fill="none"
        />
      </svg>
      {props.small ? null : <b>{t('product')}</b>}
    </span>
  );
}
