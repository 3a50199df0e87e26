import type { OfficerTierMatrix, TierMove } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { More } from '../pieces/More';
import { Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { CLASSES } from './classes';
import { useTierMatrix, useTierMoves } from './data';

/** Who moved between which tiers within the last month. */
export function MatrixPanel() {
  const { t } = useTranslation('servicing');
  const matrix = useTierMatrix();
  return (
    <Panel title={t('tiers.matrix')} flush>
      <Await query={matrix}>
        {(m) => (m.cells.length ? <Matrix matrix={m} /> : <Empty text={t('tiers.none')} />)}
      </Await>
    </Panel>
  );
}

function Matrix({ matrix }: { matrix: OfficerTierMatrix }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const w = useWords();
  const cells = new Map(matrix.cells.map((c) => [`${c.from} ${c.to}`, c]));
  return (
    <>
      <Scroll label={t('tiers.matrix')} className="table-box">
        <table className="fw-table table tier-matrix">
          <caption className="sr-only">{t('tiers.matrix')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('tiers.before')}</th>
              {CLASSES.map((c) => (
                <th key={c} scope="col" className="fw-num">
                  {w.word('loan_class', c)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {CLASSES.map((from) => (
              <tr key={from}>
                <th scope="row">{w.word('loan_class', from)}</th>
                {CLASSES.map((to) => {
                  const cell = cells.get(`${from} ${to}`);
                  return (
                    <td key={to} className="fw-num" data-cell={cell ? `${from} ${to}` : undefined}>
                      {cell ? (
                        <>
                          {f.integer(cell.loans)}
                          <small className="under">{f.yuanShort(cell.amount)}</small>
                        </>
                      ) : (
                        <span className="fw-muted">·</span>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p className="panel-body fw-muted">
        {t('tiers.matrix_lead', { from: f.date(matrix.from), to: f.date(matrix.to) })}
      </p>
    </>
  );
}

/** Movements between tiers with their reasons: of all loans, or of one. */
export function MovesPanel({ loan = '' }: { loan?: string }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const w = useWords();
  const list = useTierMoves(loan);
  const columns: Column<TierMove>[] = [
    {
      key: 'date',
      title: t('date'),
      cell: (m) => <span className="nowrap">{f.date(m.date)}</span>,
    },
    ...(loan
      ? []
      : [
          {
            key: 'borrower',
            title: t('tiers.borrower'),
            cell: (m: TierMove) => (
              <Link to={`/loans/${encodeURIComponent(m.loan_id)}`}>{m.borrower}</Link>
            ),
          },
        ]),
    {
      key: 'move',
      title: t('tiers.move'),
      cell: (m) => (
        <span className="nowrap">
          <Pill tone={toneOf(m.from)}>{w.word('loan_class', m.from)}</Pill> →{' '}
          <Pill tone={toneOf(m.to)}>{w.word('loan_class', m.to)}</Pill>
        </span>
      ),
    },
    {
      key: 'why',
      title: t('tiers.why'),
      cell: (m) => t(`tiers.cause.${m.why}`, { count: m.days }),
    },
    { key: 'amount', title: t('tiers.amount'), number: true, cell: (m) => f.yuan(m.amount) },
  ];
  return (
    <>
      <Panel title={t('tiers.moves')} className="tier-moves" flush>
        <Await query={list} lines={2}>
          {(rows) => (
            <DataTable
              label={t('tiers.moves')}
              rows={rows}
              columns={columns}
              rowKey={(m) => m.id}
              empty={t('tiers.none')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </>
  );
}
