import { currentLanguage } from '@furrow/shared/i18n';

/** The name of something that the catalogue of industry chains names in both languages. */
export const local = (named: { zh: string; en: string }): string =>
  currentLanguage() === 'en' ? named.en : named.zh;
