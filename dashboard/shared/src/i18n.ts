import i18next, { type Resource, type ResourceKey } from 'i18next';
import { initReactI18next } from 'react-i18next';

export const languages = ['zh-CN', 'en'] as const;
export type Language = (typeof languages)[number];

const remembered = 'furrow.language';

/** The language the reader works in. */
export function currentLanguage(): Language {
  return i18next.language === 'en' ? 'en' : 'zh-CN';
}

/**
 * Turns the modules of `import.meta.glob('./locales/*\/*.json', { eager: true, import: 'default' })`
 * into resources: the folder is the language, the file the namespace.
 */
export function resourcesOf(...globs: Record<string, unknown>[]): Resource {
  const all: Resource = {};
  for (const glob of globs)
    for (const [path, texts] of Object.entries(glob)) {
      const [, language, feature] = /([^/]+)\/([^/]+)\.json$/.exec(path) ?? [];
      if (!language || !feature) continue;
      all[language] = { ...all[language], [feature]: texts as ResourceKey };
    }
  return all;
}

const own = import.meta.glob('./locales/*/*.json', { eager: true, import: 'default' });

/** Starts the translations of a face: its own features and the shared ones. */
export function startTexts(features: Record<string, unknown>): void {
  const stored = localStorage.getItem(remembered);
  i18next.use(initReactI18next).init({
    resources: resourcesOf(own, features),
    lng: stored === 'en' ? 'en' : 'zh-CN',
    fallbackLng: 'zh-CN',
    defaultNS: 'shared',
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  document.documentElement.lang = currentLanguage();
  i18next.on('languageChanged', () => {
    document.documentElement.lang = currentLanguage();
    localStorage.setItem(remembered, currentLanguage());
  });
}

/** Adds the texts of features that are loaded with their pages, as `startTexts` takes them. */
export function addTexts(features: Record<string, unknown>): void {
  for (const [language, spaces] of Object.entries(resourcesOf(features)))
    for (const [space, texts] of Object.entries(spaces))
      i18next.addResourceBundle(language, space, texts);
}

export function setLanguage(language: Language): void {
  void i18next.changeLanguage(language);
}
