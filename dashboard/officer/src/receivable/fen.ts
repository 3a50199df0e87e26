/** Yuan as people type them, "12,345.6", in fen; undefined when it is no amount. */
export function fenOf(text: string): number | undefined {
  const plain = text.replace(/[,，\s¥]/g, '');
  const found = /^(\d{1,13})(?:\.(\d{1,2}))?$/.exec(plain);
  if (!found) return undefined;
  return Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0'));
}
