import type { Upload } from '@furrow/shared/api/types';
import { useTranslation } from 'react-i18next';

/** Where an upload stands, in a word and a colour. */
export function StateTag(props: { state: Upload['state'] }) {
  const { t } = useTranslation('upload');
  return (
    <span className="a-tag" data-state={props.state}>
      {t(`state.${props.state}`)}
    </span>
  );
}
