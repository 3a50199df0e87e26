import type { ReceivableLine, ReceivablePart } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Button } from 'antd';
import { type CSSProperties, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type ActKind, FATES, type Fate, type Row, rowsOf, type Shares, totals } from './tree';

/** As many parts as are drawn before somebody asks for all of them. */
const FIRST = 50;

/**
 * The chain of owners as a picture: each part below the one it came from, its bar under
 * what that one passed on, coloured by what became of it.
 */
export function Owners(props: {
  line: ReceivableLine;
  firm: string;
  acts(part: ReceivablePart): ActKind[];
  want(kind: ActKind, part: ReceivablePart): void;
}) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const { line } = props;
  const rows = useMemo(() => rowsOf(line.receivable), [line.receivable]);
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, FIRST);
  const sum = totals(rows);
  return (
    <>
      <ul className="r-legend">
        {FATES.filter((fate) => sum[fate]).map((fate) => (
          <li key={fate}>
            <i data-fate={fate} aria-hidden="true" />
            {t(`fate.${word(fate, line.receivable.state)}`)} <b>{f.yuan(sum[fate])}</b>
          </li>
        ))}
      </ul>
      <ol className="r-owners">
        {shown.map((row) => (
          <li
            key={row.part.id}
            style={{ '--r-indent': `${Math.min(row.depth, 8) * 18}px` } as CSSProperties}
          >
            <Owner row={row} line={line} mine={row.part.holder_id === props.firm} />
            <div className="fw-row r-acts">
              {props.acts(row.part).map((kind) => (
                <Button
                  key={kind}
                  aria-label={t('act_on', { act: t(`act.${kind}`), number: row.part.number })}
                  onClick={() => props.want(kind, row.part)}
                >
                  {t(`act.${kind}`)}
                </Button>
              ))}
            </div>
          </li>
        ))}
      </ol>
      {shown.length < rows.length ? (
        <Button onClick={() => setAll(true)}>{t('all_parts', { count: rows.length })}</Button>
      ) : null}
    </>
  );
}

function Owner({ row, line, mine }: { row: Row; line: ReceivableLine; mine: boolean }) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const { part, shares } = row;
  const { hold } = part;
  const name = line.names[part.holder_id] || t('unnamed');
  return (
    <>
      <p className="r-owner" data-child={row.depth > 0}>
        <b>{name}</b>
        {mine ? <span className="a-tag">{t('mine')}</span> : null}
        <code className="fw-muted">{part.number}</code>
        <span className="fw-num">{f.yuan(part.amount)}</span>
      </p>
      <Bar row={row} />
      <p className="r-fates fw-muted">
        {FATES.filter((fate) => shares[fate])
          .map(
            (fate) => `${t(`fate.${word(fate, line.receivable.state)}`)} ${f.yuan(shares[fate])}`,
          )
          .join(' · ')}
      </p>
      {hold ? (
        <p className="r-fates">
          {[
            t(`held_since.${hold.kind}`, { time: f.time(hold.since) }),
            hold.funder,
            hold.owed ? t('owed_to_funder', { amount: f.yuan(hold.owed) }) : '',
            hold.registration ? t('registration', { number: hold.registration }) : '',
            hold.note,
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      ) : null}
    </>
  );
}

function Bar({ row }: { row: Row }) {
  const whole = row.part.amount || 1;
  return (
    <div className="r-bar" aria-hidden="true">
      <div style={{ marginLeft: `${row.from * 100}%`, width: `max(3px, ${row.width * 100}%)` }}>
        {FATES.filter((fate) => row.shares[fate]).map((fate) => (
          <i key={fate} data-fate={fate} style={{ width: share(row.shares, fate, whole) }} />
        ))}
      </div>
    </div>
  );
}

const share = (shares: Shares, fate: keyof Shares, whole: number) =>
  `${((shares[fate] ?? 0) / whole) * 100}%`;

/** What is left of a receivable can be used only while it is accepted. */
function word(fate: Fate, state: string): string {
  if (fate !== 'free' || state === 'accepted') return fate;
  return state === 'cancelled' ? 'void' : 'open';
}
