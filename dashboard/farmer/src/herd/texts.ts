/** The texts of the herd pages. They come with those pages and not with the first load. */
import { resourcesOf } from '@furrow/shared/i18n';
import i18next from 'i18next';

const texts = import.meta.glob('../locales/*/{herd,report,claim}.json', {
  eager: true,
  import: 'default',
});

for (const [language, features] of Object.entries(resourcesOf(texts)))
  for (const [feature, words] of Object.entries(features))
    i18next.addResourceBundle(language, feature, words);
