import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { offsetOf, type Problem } from './problems';

/** The text of a policy with the numbers of its lines; lines with a problem are marked. */
export function TextView(props: {
  text: string;
  problems: Problem[];
  /** Where to go; a new object goes there again. */
  at: Problem | undefined;
  onChange: ((text: string) => void) | undefined;
}) {
  const { t } = useTranslation('strategy');
  const { text, at } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const count = useMemo(() => text.split('\n').length, [text]);
  const wrong = new Set(props.problems.map((p) => p.line));

  // Only when `at` changes: typing must not move the cursor.
  useEffect(() => {
    const el = field.current;
    if (!el || !at) return;
    const from = offsetOf(text, at.line, at.column);
    const end = text.indexOf('\n', from);
    el.focus();
    el.setSelectionRange(from, end < 0 ? text.length : end);
    const height = el.scrollHeight / count;
    el.closest('.text-view')?.scrollTo({ top: Math.max(0, (at.line - 6) * height) });
  }, [at]);

  return (
    <div className="text-view">
      <ol aria-hidden="true">
        {Array.from({ length: count }, (_, i) => i + 1).map((n) => (
          <li key={n} className={wrong.has(n) ? 'text-wrong' : undefined}>
            {n}
          </li>
        ))}
      </ol>
      <textarea
        ref={field}
        aria-label={t('text')}
        spellCheck={false}
        wrap="off"
        rows={count}
        readOnly={!props.onChange}
        value={text}
        onChange={(e) => props.onChange?.(e.target.value)}
      />
    </div>
  );
}
