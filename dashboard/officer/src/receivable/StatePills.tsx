import type { ReceivableLine } from '@furrow/shared/api/types';
import { useTranslation } from 'react-i18next';
import { Pill, type Tone } from '../pieces/Pill';

const tones: Record<string, Tone> = {
  proposed: 'info',
  confirmed: 'info',
  accepted: 'good',
  redeemed: 'calm',
  cancelled: 'calm',
};

/** The state of a receivable, and whether it is overdue. */
export function StatePills({ line }: { line: ReceivableLine }) {
  const { t } = useTranslation('receivables');
  const { state } = line.receivable;
  return (
    <>
      <Pill tone={tones[state] ?? 'calm'}>{t(`state.${state}`, { defaultValue: state })}</Pill>
      {line.overdue ? (
        <>
          {' '}
          <Pill tone="bad">{t('overdue')}</Pill>
        </>
      ) : null}
    </>
  );
}
