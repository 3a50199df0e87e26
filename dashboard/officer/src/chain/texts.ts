import { addTexts } from '@furrow/shared/i18n';

addTexts(import.meta.glob('../locales/*/chain.json', { eager: true, import: 'default' }));
