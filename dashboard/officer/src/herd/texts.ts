import { addTexts } from '@furrow/shared/i18n';

addTexts(import.meta.glob('../locales/*/herds.json', { eager: true, import: 'default' }));
