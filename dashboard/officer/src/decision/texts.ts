import { addTexts } from '@furrow/shared/i18n';

addTexts(import.meta.glob('../locales/*/decision.json', { eager: true, import: 'default' }));
