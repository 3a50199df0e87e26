import type { PolicyChange, PolicyComparison } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Figures } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';

const outcomes = ['offer', 'refer', 'refuse'];

/** A version beside what was decided: who would change, how, and why. */
export function ComparisonView({ of: c }: { of: PolicyComparison }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  if (c.decisions === 0) return <Empty text={t('nothing_decided')} />;
  const turned = (c.outcomes ?? []).filter((o) => o.was !== o.would);
  return (
    <>
      <Figures
        items={[
          {
            name: t('decisions'),
            value: f.integer(c.decisions),
            note: t('same', { count: c.same }),
          },
          {
            name: t('turned'),
            value: f.integer(turned.reduce((n, o) => n + o.count, 0)),
            note: t('raised_lowered', { raised: c.raised, lowered: c.lowered }),
          },
          { name: t('limit_was'), value: f.yuanShort(c.limit_was) },
          {
            name: t('limit_would'),
            value: f.yuanShort(c.limit_would),
            note: change(c.limit_was, c.limit_would, f.percent1),
          },
        ]}
      />
      {c.failed ? (
        <p className="bad" role="alert">
          {t('failed', { count: c.failed })} <code>{c.first_error}</code>
        </p>
      ) : null}
      <Matrix of={c} />
      <h3>{t('who_changes')}</h3>
      <Changes rows={c.changes ?? []} />
      {c.changes_left ? (
        <p className="fw-muted">{t('changes_left', { count: c.changes_left })}</p>
      ) : null}
    </>
  );
}

function change(was: number, would: number, percent: (share: number) => string): string {
  if (was === 0) return '';
  return `${would < was ? '−' : '+'}${percent(Math.abs(would / was - 1))}`;
}

/** How many went from which outcome to which; the stronger the colour the more. */
function Matrix({ of: c }: { of: PolicyComparison }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  const w = useWords();
  const known = new Set([
    ...outcomes,
    ...(c.outcomes ?? []).flatMap((o) => [o.was as string, o.would as string]),
  ]);
  const all = [...known];
  const count = (was: string, would: string) =>
    c.outcomes?.find((o) => o.was === was && o.would === would)?.count ?? 0;
  const shade = (n: number) => (n ? 0.12 + (0.5 * n) / c.decisions : 0);
  return (
    <div className="table-box">
      <table className="fw-table table matrix">
        <caption>{t('matrix')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('was_would')}</th>
            {all.map((o) => (
              <th key={o} scope="col" className="fw-num">
                {w.word('outcome', o)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {all.map((was) => (
            <tr key={was}>
              <th scope="row">{w.word('outcome', was)}</th>
              {all.map((would) => {
                const n = count(was, would);
                const hue = was === would ? '47 93 58' : '200 150 46';
                return (
                  <td
                    key={would}
                    className="fw-num"
                    style={{ background: `rgb(${hue} / ${shade(n)})` }}
                  >
                    {n ? <b>{f.integer(n)}</b> : <span className="fw-muted">0</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Changes({ rows }: { rows: PolicyChange[] }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  const w = useWords();
  const gist = (g: PolicyChange['was']) => (
    <>
      <Pill tone={toneOf(g.outcome)}>{w.word('outcome', g.outcome)}</Pill>{' '}
      <span className="nowrap">
        {f.yuan0(g.limit)} · {f.rate(g.rate)}
      </span>
    </>
  );
  const by = (c: PolicyChange) => c.would.limit - c.was.limit;
  const columns: Column<PolicyChange>[] = [
    {
      key: 'who',
      title: t('application'),
      cell: (c) => (
        <Link to={`/applications/${c.application_id}`}>
          <code>{c.application_id.slice(-8)}</code>
        </Link>
      ),
    },
    { key: 'at', title: t('made_at'), sort: (c) => c.made_at, cell: (c) => f.date(c.made_at) },
    { key: 'was', title: t('was'), cell: (c) => gist(c.was) },
    { key: 'would', title: t('would'), cell: (c) => gist(c.would) },
    {
      key: 'by',
      title: t('difference'),
      number: true,
      sort: by,
      cell: (c) => `${by(c) < 0 ? '−' : '+'}${f.yuan0(Math.abs(by(c)))}`,
    },
    {
      key: 'why',
      title: t('why'),
      cell: (c) => (
        <>
          {(c.new ?? []).map((code) => (
            <code key={`+${code}`} className="code-new">
              + {code}
            </code>
          ))}
          {(c.gone ?? []).map((code) => (
            <code key={`-${code}`} className="code-gone">
              − {code}
            </code>
          ))}
          {c.new?.length || c.gone?.length ? null : (
            <span className="fw-muted">{t('amounts_only')}</span>
          )}
        </>
      ),
    },
  ];
  return (
    <DataTable
      label={t('who_changes')}
      rows={rows}
      columns={columns}
      rowKey={(c) => c.decision_id}
      page={20}
      empty={t('nobody_changes')}
    />
  );
}
