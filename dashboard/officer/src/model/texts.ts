import { addTexts } from '@furrow/shared/i18n';

addTexts(import.meta.glob('../locales/*/model.json', { eager: true, import: 'default' }));
