import { useTranslation } from 'react-i18next';

/** What the colours of the NDVI layer mean; the ramp is that of the tiles. */
export function NdviLegend() {
  const { t } = useTranslation('map');
  return (
    <figure className="ndvi-legend" aria-label={t('legend')}>
      <span>{t('bare')}</span>
      <i aria-hidden="true" />
      <span>{t('dense')}</span>
      <ol aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((v) => (
          <li key={v}>{v}</li>
        ))}
      </ol>
    </figure>
  );
}
