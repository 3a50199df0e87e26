import { addTexts } from '@furrow/shared/i18n';

addTexts(import.meta.glob('../locales/*/strategy.json', { eager: true, import: 'default' }));
