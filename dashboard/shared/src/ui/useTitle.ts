import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

/** Sets the document's title to "<title> · Furrow". */
export function useTitle(title: string | undefined): void {
  const { t } = useTranslation();
  const product = t('product');
  useEffect(() => {
    document.title = title ? `${title} · ${product}` : product;
  }, [title, product]);
}
