import { Dialog } from 'antd-mobile';
import i18next from 'i18next';

/** Asks before something that cannot be taken back. */
export function ask(content: string): Promise<boolean> {
  return Dialog.confirm({
    content,
    'aria-label': content,
    confirmText: i18next.t('shell:sure'),
    cancelText: i18next.t('shell:cancel'),
  });
}
