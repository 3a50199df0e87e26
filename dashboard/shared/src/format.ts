import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Fen, Rate } from './api/types';
import type { Language } from './i18n';

/** m² of one mu: 10000/15. */
export const M2_PER_MU = 10000 / 15;

const ZONE = 'Asia/Shanghai';
const NONE = '—';
/** From 10,000 yuan on, a short amount is shortened. */
const FIVE_DIGITS = 1_000_000;

/** Formats of one language. Absent values become a dash. */
export function formats(language: Language) {
  const number = (digits: number, more: Intl.NumberFormatOptions = {}) =>
    new Intl.NumberFormat(language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      ...more,
    });
  // Making a format costs more than using it, and tables use one for each cell.
  const made = new Map<number, Intl.NumberFormat>();
  const decimals = (digits: number) => {
    const format = made.get(digits) ?? number(digits);
    made.set(digits, format);
    return format;
  };
  const cents = number(2);
  const whole = number(0);
  const short = new Intl.NumberFormat(language, {
    notation: 'compact',
    maximumFractionDigits: 1,
  });
  const two = number(2);
  const pct = number(0, { style: 'percent' });
  const pct1 = number(1, { style: 'percent' });
  // English readers get 2026-05-31, which nobody can read in another order.
  const dates = language === 'en' ? 'en-CA' : language;
  const day = new Intl.DateTimeFormat(dates, {
    timeZone: ZONE,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const long = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    timeZone: ZONE,
    year: 'numeric',
    month: 'long',
    day: 'numeric',
  });
  const minute = new Intl.DateTimeFormat(dates, {
    timeZone: ZONE,
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const clock = new Intl.DateTimeFormat(dates, {
    timeZone: ZONE,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const full = new Intl.DateTimeFormat(dates, {
    timeZone: ZONE,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const yearOf = (at: Date) => day.format(at).slice(0, 4);
  const since = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const present = (v: number | undefined | null): v is number => v != null && Number.isFinite(v);

  return {
    language,
    /** 1234567 fen → "¥12,345.67". */
    yuan: (fen: Fen | undefined | null) => (present(fen) ? `¥${cents.format(fen / 100)}` : NONE),
    /** Whole yuan, for headings: "¥12,346". */
    yuan0: (fen: Fen | undefined | null) =>
      present(fen) ? `¥${whole.format(Math.round(fen / 100))}` : NONE,
    /** A short amount: "¥123.5万" or "¥1.2M". */
    yuanShort: (fen: Fen | undefined | null) =>
      present(fen) ? `¥${(Math.abs(fen) < FIVE_DIGITS ? whole : short).format(fen / 100)}` : NONE,
    /** m² → mu with two decimals, without the unit. */
    mu: (m2: number | undefined | null) => (present(m2) ? two.format(m2 / M2_PER_MU) : NONE),
    integer: (n: number | undefined | null) => (present(n) ? whole.format(n) : NONE),
    decimal: (n: number | undefined | null, digits = 2) =>
      present(n) ? decimals(digits).format(n) : NONE,
    /** 0.123 → "12 %" */
    percent: (share: number | undefined | null) => (present(share) ? pct.format(share) : NONE),
    percent1: (share: number | undefined | null) => (present(share) ? pct1.format(share) : NONE),
    /** A yearly rate in 1e-8 units → "4.35%". */
    rate: (r: Rate | undefined | null) => (present(r) ? `${two.format(r / 1e6)}%` : NONE),
    date: (iso: string | undefined | null) => (valid(iso) ? day.format(moment(iso)) : NONE),
    /** A day inside a sentence: "2026年5月31日", "31 May 2026". */
    day: (iso: string | undefined | null) => (valid(iso) ? long.format(moment(iso)) : NONE),
    /** Month, day and minute in the bank's time zone, with the year when it is another. */
    time: (iso: string | undefined | null, now = Date.now()) => {
      if (!valid(iso)) return NONE;
      const at = moment(iso);
      return (yearOf(at) === yearOf(new Date(now)) ? minute : full).format(at);
    },
    /** The time of the day: "08:30". */
    clock: (iso: string | undefined | null) => (valid(iso) ? clock.format(moment(iso)) : NONE),
    /** "3 minutes ago", seen from `now`. */
    ago: (iso: string | undefined | null, now = Date.now()) => {
      if (!valid(iso)) return NONE;
      const s = (moment(iso).getTime() - now) / 1000;
      const a = Math.abs(s);
      if (a < 60) return since.format(Math.round(s), 'second');
      if (a < 3600) return since.format(Math.round(s / 60), 'minute');
      if (a < 86400) return since.format(Math.round(s / 3600), 'hour');
      return since.format(Math.round(s / 86400), 'day');
    },
  };
}

export type Formats = ReturnType<typeof formats>;

/** The formats of the reader's language. */
export function useFormats(): Formats {
  const { i18n } = useTranslation();
  return useMemo(() => formats(i18n.language === 'en' ? 'en' : 'zh-CN'), [i18n.language]);
}

/** A calendar date has no zone: it is noon in Shanghai, so that no zone shifts its day. */
function moment(text: string): Date {
  return new Date(text.length === 10 ? `${text}T12:00:00+08:00` : text);
}

/** Go writes an unset time as year 1. */
function valid(iso: string | undefined | null): iso is string {
  return !!iso && !iso.startsWith('0001-') && !Number.isNaN(moment(iso).getTime());
}
