/** Days as a person names them, in China's calendar, and the moments the server wants. */
const DAY = 24 * 3600 * 1000;

const calendar = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' });

/** The day that it is `ago` days before `now`: "2026-05-31". */
export const dayBefore = (now: number, ago: number) => calendar.format(now - ago * DAY);

/**
 * The moment that a day stands for: now when it is today, so that it follows all that is
 * known of the animal, else noon. Null when the text is no day, or one to come.
 */
export function momentOf(day: string, now: number): string | null {
  const noon = new Date(`${day}T12:00:00+08:00`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(noon.getTime())) return null;
  const today = dayBefore(now, 0);
  if (day > today || calendar.format(noon) !== day) return null;
  return (day === today ? new Date(now) : noon).toISOString();
}
