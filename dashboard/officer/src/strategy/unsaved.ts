import { App } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

/**
 * A text that is being changed. What is not saved survives a reload and the Back button:
 * it is kept in the tab until it is saved or thrown away.
 */
export function useDraftText(key: string, saved: string | undefined) {
  const store = `furrow.policy.${key}`;
  const [typed, setTyped] = useState<string | undefined>(
    () => sessionStorage.getItem(store) ?? undefined,
  );
  const text = typed ?? saved ?? '';
  const unsaved = typed !== undefined && typed !== saved;
  useEffect(() => {
    if (saved === undefined) return;
    if (unsaved && typed !== undefined) sessionStorage.setItem(store, typed);
    else sessionStorage.removeItem(store);
  }, [store, saved, typed, unsaved]);
  const forget = () => {
    sessionStorage.removeItem(store);
    setTyped(undefined);
  };
  return { text, unsaved, change: setTyped, forget };
}

/** Asks before a page with unsaved changes is left by a link, a reload or closing the tab. */
export function useLeaveGuard(unsaved: boolean): void {
  const { t } = useTranslation('strategy');
  const { modal } = App.useApp();
  const navigate = useNavigate();
  useEffect(() => {
    if (!unsaved) return;
    const close = (e: BeforeUnloadEvent) => e.preventDefault();
    const click = (e: MouseEvent) => {
      const link = (e.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | null;
      const other = e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey;
      if (!link || other || link.target === '_blank' || link.origin !== location.origin) return;
      e.preventDefault();
      e.stopPropagation();
      const to = link.pathname.replace(/^\/officer/, '') + link.search;
      modal.confirm({
        title: t('leave_title'),
        content: t('leave_text'),
        okText: t('leave'),
        cancelText: t('stay'),
        onOk: () => navigate(to),
      });
    };
    window.addEventListener('beforeunload', close);
    document.addEventListener('click', click, true);
    return () => {
      window.removeEventListener('beforeunload', close);
      document.removeEventListener('click', click, true);
    };
  }, [unsaved, modal, navigate, t]);
}
