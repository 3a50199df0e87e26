/** The bank's clock stands eight hours ahead of UTC all year. */
const OFFSET_MS = 8 * 3_600_000;

/** A moment as a field for date and time takes it, on the bank's clock: "2026-05-31T08:00". */
export const toField = (at: number) => new Date(at + OFFSET_MS).toISOString().slice(0, 16);

/** The moment, in RFC 3339, that such a field says; "" when it says none. */
export function fromField(text: string): string {
  const at = new Date(`${text}:00+08:00`);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}
