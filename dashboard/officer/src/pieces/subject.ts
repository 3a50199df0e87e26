const rooms: Record<string, string> = {
  plot: 'plots',
  herd: 'herds',
  firm: 'firms',
  loan: 'loans',
};

/** The page of what was borrowed on, or of what an alert is about. */
export function subjectPath(kind: string, id: string): string {
  return `/${rooms[kind] ?? kind}/${encodeURIComponent(id)}`;
}
