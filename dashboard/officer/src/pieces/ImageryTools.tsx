import { useFormats } from '@furrow/shared/format';
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Choice } from './Filter';
import { LAYERS, type useImagery } from './useImagery';

/** Chooses layer and day of the imagery, and the day to compare it with. */
export function ImageryTools(props: { of: ReturnType<typeof useImagery>; small?: boolean }) {
  const { t } = useTranslation('map');
  const f = useFormats();
  const { of: imagery, small } = props;
  const size = small ? 'small' : 'middle';
  const options = imagery.dates.map((d) => ({
    value: d.date,
    label: `${f.date(d.date)}  ${t('cloud', { share: f.percent(d.cloud) })}`,
  }));
  return (
    <>
      <Choice
        label={t('layer')}
        value={imagery.name}
        onChange={imagery.setLayer}
        options={[...LAYERS, 'none'].map((l) => ({ value: l, text: t(`layers.${l}`) }))}
      />
      {imagery.dates.length ? (
        <Select
          size={size}
          aria-label={t('date')}
          value={imagery.date}
          onChange={imagery.setDate}
          style={{ minWidth: 120 }}
          popupMatchSelectWidth={false}
          labelRender={() => f.date(imagery.date)}
          options={options}
        />
      ) : (
        <span className="fw-muted">{t('no_scenes')}</span>
      )}
      {imagery.layer && imagery.dates.length > 1 ? (
        <Select
          size={size}
          aria-label={t('compare_with')}
          data-testid="compare"
          value={imagery.with ?? ''}
          onChange={imagery.setWith}
          style={{ minWidth: 120 }}
          popupMatchSelectWidth={false}
          labelRender={() =>
            imagery.with ? t('compared', { date: f.date(imagery.with) }) : t('compare_none')
          }
          options={[{ value: '', label: t('compare_none') }, ...options]}
        />
      ) : null}
    </>
  );
}
