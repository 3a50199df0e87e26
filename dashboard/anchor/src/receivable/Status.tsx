import type { ReceivableLine } from '@furrow/shared/api/types';
import { useTranslation } from 'react-i18next';

/** Where a receivable stands, and whether it should have been paid by now. */
export function Status({ line }: { line: ReceivableLine }) {
  const { t } = useTranslation('receivable');
  const { state } = line.receivable;
  return (
    <span className="r-status">
      <span className="a-tag" data-state={state}>
        {t(`state.${state}`)}
      </span>
      {line.overdue ? (
        <span className="a-tag" data-state="overdue">
          {t('overdue')}
        </span>
      ) : null}
    </span>
  );
}
