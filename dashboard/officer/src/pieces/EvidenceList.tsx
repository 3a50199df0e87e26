import { type Formats, useFormats } from '@furrow/shared/format';
import { useWords, type Words } from '@furrow/shared/words';

const hidden = new Set(['lon', 'lat']);
const shares = new Set(['share', 'confidence']);

/** A value of evidence in the reader's units and words. */
export function saidValue(f: Formats, w: Words, key: string, text: string): string {
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return f.time(text);
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return f.date(text);
  if (text === 'true' || text === 'false') return w.word('truth', text);
  if (key === 'crop') return w.crop(text);
  if (key === 'vci_class') return w.word('vci_class', text);
  if (key === 'class') return w.word('loan_class', text);
  if (key === 'certainty') return w.word('certainty', text);
  const n = Number(text);
  if (!Number.isFinite(n)) return text;
  if (shares.has(key)) return f.percent(n);
  if (key === 'amount') return f.yuan(n * 100);
  if (key.endsWith('_m')) return `${f.integer(n)} m`;
  if (key.endsWith('_hours')) return `${f.decimal(n, 1)} h`;
  if (key.endsWith('_minutes')) return `${f.integer(n)} min`;
  if (key.endsWith('_c')) return `${f.decimal(n, 1)} °C`;
  return text;
}

/** The named values behind an alert or a finding, in the reader's units and words. */
export function EvidenceList(props: {
  of: Record<string, string> | null | undefined;
  /** What stands above the list already and need not be said again. */
  said?: string;
}) {
  const f = useFormats();
  const w = useWords();
  const shown = Object.entries(props.of ?? {}).filter(
    ([k, v]) => v && v !== props.said && !hidden.has(k),
  );
  if (shown.length === 0) return null;
  return (
    <dl className="evidence">
      {shown.map(([k, v]) => (
        <div key={k}>
          <dt>{w.word('evidence', k)}</dt>
          <dd>{saidValue(f, w, k, v)}</dd>
        </div>
      ))}
    </dl>
  );
}
