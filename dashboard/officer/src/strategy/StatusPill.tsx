import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { Pill } from '../pieces/Pill';
import { toneOf } from './moves';

/** The status of a version; of a challenger with its share. */
export function StatusPill(props: { status: string; share?: number | undefined }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  const { status, share } = props;
  return (
    <Pill tone={toneOf[status] ?? 'calm'}>
      {t(`status.${status}`, { defaultValue: status })}
      {status === 'challenger' && share ? ` ${f.percent1(share / 10_000)}` : ''}
    </Pill>
  );
}
