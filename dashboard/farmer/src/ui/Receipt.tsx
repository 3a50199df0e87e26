import { sha256 } from '@furrow/shared/sha256';
import { useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { judgePhoto, MAX_PHOTO_MIB } from '../lending/photo';

/**
 * A photo of a signed receipt. It stays on the phone: only its fingerprint goes to the
 * bank, where a claimed original can be compared with it later.
 */
export function Receipt(props: { hash: string; onChange(hash: string): void }) {
  const { t } = useTranslation('buy');
  const id = useId();
  const about = useId();
  const [picture, setPicture] = useState('');
  const [fault, setFault] = useState('');
  useEffect(() => () => URL.revokeObjectURL(picture), [picture]);
  const take = async (file: File | undefined) => {
    if (!file) return;
    props.onChange('');
    setPicture('');
    const wrong = judgePhoto(file);
    setFault(wrong);
    if (wrong) return;
    try {
      const hash = await sha256(await file.arrayBuffer());
      setPicture(URL.createObjectURL(file));
      props.onChange(hash);
    } catch {
      setFault('unread');
    }
  };
  return (
    <div className="f-field f-receipt">
      <label className="fw-button f-big" htmlFor={id}>
        {t(props.hash ? 'photo.again' : 'photo.take')}
      </label>
      <input
        id={id}
        className="f-hidden"
        type="file"
        accept="image/*"
        capture="environment"
        aria-describedby={about}
        onChange={(e) => void take(e.target.files?.[0])}
      />
      {picture ? <img src={picture} alt={t('photo.alt')} /> : null}
      <p
        id={about}
        className={fault ? 'f-error' : 'f-hint f-break'}
        role={fault ? 'alert' : undefined}
      >
        {fault
          ? t(`photo.${fault}`, { max: MAX_PHOTO_MIB })
          : props.hash
            ? t('photo.hash', { hash: props.hash.slice(0, 16) })
            : t('photo.hint')}
      </p>
    </div>
  );
}
