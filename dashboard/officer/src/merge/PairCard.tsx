import type { OfficerPairLine, Party } from '@furrow/shared/api/types';
import { type Formats, useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { NoteDialog } from '../pieces/NoteDialog';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useMerge } from './data';

const fields = (f: Formats): [string, (p: Party) => string][] => [
  ['uscc', (p) => p.uscc],
  ['legal_rep', (p) => p.legal_rep ?? ''],
  ['controller', (p) => p.controller ?? ''],
  ['address', (p) => p.address ?? ''],
  ['industry', (p) => p.industry ?? ''],
  ['founded', (p) => p.founded ?? ''],
  ['other_names', (p) => [...(p.former_names ?? []), ...(p.short_names ?? [])].join('、')],
  ['since', (p) => f.date(p.created_at)],
];

/** Two firms side by side: what agrees, what differs, and what an officer says. */
export function PairCard({ line }: { line: OfficerPairLine }) {
  const { t } = useTranslation('merges');
  const f = useFormats();
  const may = useMay();
  const merge = useMerge();
  const [asks, setAsks] = useState<boolean>();
  // The firm that was there first survives.
  const [keep, goes] =
    line.firm.created_at <= line.other.created_at
      ? [line.firm, line.other]
      : [line.other, line.firm];
  const rows = fields(f)
    .map(([name, read]) => ({ name, a: read(keep), b: read(goes) }))
    .filter((row) => row.a || row.b);
  return (
    <article className="pair" data-pair={`${line.pair.firm_id} ${line.pair.other_id}`}>
      <p className="fw-row">
        <Pill tone={line.pair.score >= 0.9 ? 'good' : 'warn'}>
          {t('score', { share: f.percent(line.pair.score) })}
        </Pill>
        <span className="fw-muted">
          {t(`name.${line.pair.reasons.name ?? 'like'}`, { defaultValue: '' })}
        </span>
      </p>
      <Scroll label={t('compare', { a: keep.name, b: goes.name })} className="table-box">
        <table className="fw-table table">
          <caption className="sr-only">{t('compare', { a: keep.name, b: goes.name })}</caption>
          <thead>
            <tr>
              <th scope="col">{t('field.what')}</th>
              {[keep, goes].map((p) => (
                <th key={p.id} scope="col">
                  <Link to={`/firms/${encodeURIComponent(p.id)}`}>{p.name}</Link>
                </th>
              ))}
              <th scope="col">{t('field.agrees')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{t(`field.${row.name}`)}</th>
                <td>{row.a || '—'}</td>
                <td>{row.b || '—'}</td>
                <td>
                  {row.a && row.b && row.name !== 'since' ? (
                    <Pill tone={row.a === row.b ? 'good' : 'bad'}>
                      {t(row.a === row.b ? 'agrees' : 'differs')}
                    </Pill>
                  ) : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {may ? (
        <p className="fw-row">
          <Button type="primary" onClick={() => setAsks(true)}>
            {t('same')}
          </Button>
          <Button onClick={() => setAsks(false)}>{t('not_same')}</Button>
        </p>
      ) : null}
      {asks === undefined ? null : (
        <NoteDialog
          title={t(asks ? 'same_title' : 'not_same_title', { a: goes.name, b: keep.name })}
          label={t('why')}
          ok={t(asks ? 'same' : 'not_same')}
          pending={merge.isPending}
          error={merge.error}
          onOk={(why) =>
            merge.mutate(
              { firm_id: goes.id, other_id: keep.id, same: asks, why },
              { onSuccess: () => setAsks(undefined) },
            )
          }
          onCancel={() => setAsks(undefined)}
        />
      )}
    </article>
  );
}
