/** Tables as CSV that spreadsheet programs read as text in Chinese too. */

/**
 * One field. A leading =, +, - or @ would run as a formula when the file is opened, and
 * the cells come from other people's files: such a field gets an apostrophe in front.
 */
function field(value: string | number): string {
  const text = String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows as CSV with the byte order mark that makes Excel read UTF-8. */
export function csv(rows: (string | number)[][]): string {
  return `\uFEFF${rows.map((row) => row.map(field).join(',')).join('\r\n')}\r\n`;
}

/** Offers a table as a file to keep. */
export function download(name: string, text: string): void {
  save(name, new Blob([text], { type: 'text/csv;charset=utf-8' }));
}

/** Offers bytes as a file to keep. */
export function save(name: string, bytes: Blob): void {
  const url = URL.createObjectURL(bytes);
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  URL.revokeObjectURL(url);
}
