import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, body } from './api/client';
import { currentLanguage } from './i18n';

/** Crops, products and species of the bank; they rarely change. */
export function useCatalogue() {
  return useQuery({
    queryKey: ['catalogue'],
    staleTime: 3_600_000,
    queryFn: () => body(api.GET('/api/v1/catalogue')),
  });
}

/**
 * The words of the domain in the reader's language. An unknown code is shown as it
 * is, so that a new rule or hazard can never blank a page.
 */
export function useWords() {
  const { t, i18n } = useTranslation('domain');
  const { data } = useCatalogue();
  const language = i18n.language;
  return useMemo(() => {
    const word = (group: string, code: string | undefined) =>
      code ? t(`${group}.${code}`, { defaultValue: code }) : '';
    const local = language === 'en' ? 'en' : 'zh';
    return {
      word,
      /** Why an answer is unsure: one code, or several joined by commas. */
      why: (codes: string | undefined) =>
        (codes ?? '')
          .split(',')
          .filter(Boolean)
          .map((code) => word('why', code.trim()))
          .join(' · '),
      /** Why a bank refused: the code before its words is known, or else it is quoted. */
      refusal: (reason: string) => {
        const [code, rest] = /^[A-Z]{2}\d{2}(?= |$)/.test(reason)
          ? [reason.slice(0, 4), reason.slice(5)]
          : ['', reason];
        const said = t('refusal.said', { said: rest || code });
        return code ? t(`refusal.${code}`, { defaultValue: said }) : said;
      },
      crop: (code: string | undefined) =>
        data?.crops.find((c) => c.code === code)?.[local] ?? word('crop', code || 'unknown'),
      goods: (code: string) => data?.goods?.find((g) => g.code === code)?.[local] ?? code,
      unit: (code: string) => data?.units?.find((u) => u.code === code)?.[local] ?? code,
      feature: (name: string) => data?.features?.find((f) => f.code === name)?.[local] ?? name,
      product: (code: string) =>
        data?.products.find((p) => p.code === code)?.name[currentLanguage()] ??
        data?.others?.find((p) => p.code === code)?.[local] ??
        code,
    };
  }, [t, data, language]);
}

export type Words = ReturnType<typeof useWords>;
