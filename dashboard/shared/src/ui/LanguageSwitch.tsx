import { useTranslation } from 'react-i18next';
import { type Language, languages, setLanguage } from '../i18n';

/** A button for the other language, written in that language. */
export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  const other = languages.find((l) => l !== i18n.language) as Language;
  return (
    <button
      type="button"
      className="fw-button fw-quiet fw-language"
      lang={other}
      onClick={() => setLanguage(other)}
    >
      {t('language.name', { lng: other })}
    </button>
  );
}
