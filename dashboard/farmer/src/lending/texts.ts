/** The texts of offers, orders, loans and pledges. They come with those pages only. */
import { resourcesOf } from '@furrow/shared/i18n';
import i18next from 'i18next';

const texts = import.meta.glob('../locales/*/{offer,buy,guarantee,loan,pledge,consents}.json', {
  eager: true,
  import: 'default',
});

for (const [language, features] of Object.entries(resourcesOf(texts)))
  for (const [feature, words] of Object.entries(features))
    i18next.addResourceBundle(language, feature, words);
