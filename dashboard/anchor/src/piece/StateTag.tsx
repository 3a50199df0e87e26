import type { Upload } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useTranslation } from 'react-i18next';
import { busy } from '../data';

/** Where an upload stands, in a word and a colour, and how far the work on it is. */
export function StateTag({ upload: u }: { upload: Upload }) {
  const { t } = useTranslation('upload');
  const f = useFormats();
  return (
    <>
      <span className="a-tag" data-state={u.state}>
        {t(`state.${u.state}`)}
      </span>
      {busy(u) && u.rows_total > 0 ? (
        <small className="fw-muted"> {f.percent(u.rows_done / u.rows_total)}</small>
      ) : null}
    </>
  );
}
