import type { ReceivableLine, ReceivablePart } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { FATES, rowsOf, totals } from '@furrow/shared/receivable/tree';
import { Button } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

const FIRST = 50;

export type ActKind = 'pledge' | 'release' | 'file' | 'freeze';

/** What the bank may do with a part now. */
export function actsOn(state: string, part: ReceivablePart): ActKind[] {
  switch (part.hold?.kind) {
    case 'asked':
      return state === 'accepted' ? ['pledge', 'release'] : ['release'];
    case 'pledged':
      return part.hold.registration ? ['release'] : ['file', 'release'];
    case 'frozen':
      return ['release'];
  }
  return state === 'accepted' && part.remaining > part.paid ? ['freeze'] : [];
}

/** The chain of owners: each part below the one it came from, its bar under that one's. */
export function Owners(props: {
  line: ReceivableLine;
  may: boolean;
  want(kind: ActKind, part: ReceivablePart): void;
}) {
  const { t } = useTranslation('receivables');
  const f = useFormats();
  const { line } = props;
  const rows = useMemo(() => rowsOf(line.receivable), [line.receivable]);
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, FIRST);
  const sum = totals(rows);
  return (
    <>
      <ul className="owner-legend">
        {FATES.filter((fate) => sum[fate]).map((fate) => (
          <li key={fate}>
            <i data-fate={fate} aria-hidden="true" />
            {t(`fate.${fate}`)} <b>{f.yuan(sum[fate])}</b>
          </li>
        ))}
      </ul>
      <ol className="owners">
        {shown.map(({ part, depth, from, width, shares }) => (
          <li key={part.id} style={{ paddingLeft: `${Math.min(depth, 8) * 18}px` }}>
            <p className="fw-row">
              <Link to={`/firms/${encodeURIComponent(part.holder_id)}`}>
                {line.names[part.holder_id] || t('unnamed')}
              </Link>
              <code className="fw-muted">{part.number}</code>
              <b className="fw-num">{f.yuan(part.amount)}</b>
              {props.may
                ? actsOn(line.receivable.state, part).map((kind) => (
                    <Button
                      key={kind}
                      size="small"
                      aria-label={t('act_on', { act: t(`act.${kind}`), number: part.number })}
                      onClick={() => props.want(kind, part)}
                    >
                      {t(`act.${kind}`)}
                    </Button>
                  ))
                : null}
            </p>
            <div className="owner-bar" aria-hidden="true">
              <div style={{ marginLeft: `${from * 100}%`, width: `max(3px, ${width * 100}%)` }}>
                {FATES.filter((fate) => shares[fate]).map((fate) => (
                  <i
                    key={fate}
                    data-fate={fate}
                    style={{ width: `${((shares[fate] ?? 0) / (part.amount || 1)) * 100}%` }}
                  />
                ))}
              </div>
            </div>
            <p className="fw-muted">
              {FATES.filter((fate) => shares[fate])
                .map((fate) => `${t(`fate.${fate}`)} ${f.yuan(shares[fate])}`)
                .join(' · ')}
              {part.hold ? ` — ${held(part, t, f)}` : ''}
            </p>
          </li>
        ))}
      </ol>
      {shown.length < rows.length ? (
        <Button onClick={() => setAll(true)}>{t('all_parts', { count: rows.length })}</Button>
      ) : null}
    </>
  );
}

function held(
  { hold }: ReceivablePart,
  t: ReturnType<typeof useTranslation>['t'],
  f: ReturnType<typeof useFormats>,
): string {
  if (!hold) return '';
  return [
    t(`held_since.${hold.kind}`, { time: f.time(hold.since) }),
    hold.funder,
    hold.owed ? t('owed_to_funder', { amount: f.yuan(hold.owed) }) : '',
    hold.registration ? t('registration', { number: hold.registration }) : '',
    hold.note,
  ]
    .filter(Boolean)
    .join(' · ');
}
