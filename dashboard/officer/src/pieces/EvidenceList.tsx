import { type Formats, useFormats } from '@furrow/shared/format';
import { useWords, type Words } from '@furrow/shared/words';

const hidden = new Set(['lon', 'lat']);
const shares = new Set(['share', 'confidence', 'loss']);
const amounts = new Set([
  'amount',
  'invoiced',
  'outstanding',
  'hit',
  'sales',
  'purchases',
  'usual_purchases',
  'largest_before',
  'capital',
]);
/** Evidence whose value is a code, with the group of its words. */
const coded: Record<string, string> = {
  vci_class: 'vci_class',
  class: 'loan_class',
  certainty: 'certainty',
  cause: 'cause',
  gap: 'gap',
  how: 'how',
  against: 'against',
  sides: 'sides',
  searched: 'searched',
};

/** A value of evidence in the reader's units and words. */
export function saidValue(f: Formats, w: Words, key: string, text: string): string {
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return f.time(text);
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return f.date(text);
  if (text === 'true' || text === 'false') return w.word('truth', text);
  if (key === 'crop') return w.crop(text);
  if (coded[key]) return w.word(coded[key], text);
  if (key === 'ties')
    return text
      .split(', ')
      .map((tie) => w.word('tie', tie))
      .join(' · ');
  if (key === 'loans') return f.integer(text.split(',').length);
  const n = Number(text);
  if (!Number.isFinite(n)) return text;
  if (shares.has(key)) return f.percent(n);
  if (amounts.has(key)) return f.yuan(n * 100);
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
