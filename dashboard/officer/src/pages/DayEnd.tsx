import type { ClassSum, DayRun } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { CLASSES, STAGES, shareOf, sumOf } from '../loan/classes';
import { useClasses, useDayEnds } from '../loan/data';
import { MatrixPanel, MovesPanel } from '../loan/Tiers';
import { type Column, DataTable } from '../pieces/DataTable';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';

/** The day end: how far it has come, and what the book looks like after it. */
export function DayEndPage() {
  const { t } = useTranslation('servicing');
  const classes = useClasses();
  const runs = useDayEnds();
  return (
    <Page
      title={t('dayend.title')}
      lead={t('dayend.lead')}
      actions={<Link to="/loans">{t('dayend.loans')}</Link>}
    >
      <Await query={classes}>{(lines) => <Book lines={lines} />}</Await>
      <MatrixPanel />
      <MovesPanel />
      <Panel title={t('dayend.runs')} className="runs" flush>
        <Await query={runs}>{(rows) => <Runs rows={rows} />}</Await>
      </Panel>
    </Page>
  );
}

function Book({ lines }: { lines: ClassSum[] }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const w = useWords();
  const all = sumOf(lines, () => true);
  const bad = sumOf(lines, (l) => ['substandard', 'doubtful', 'loss'].includes(l.class));
  return (
    <>
      <Figures
        items={[
          {
            name: t('dayend.running'),
            value: f.integer(all.loans),
            note: f.yuan0(all.outstanding),
          },
          {
            name: t('overdue'),
            value: <span className={all.overdue ? 'bad' : undefined}>{f.yuan0(all.overdue)}</span>,
            note: f.percent1(shareOf(all.overdue, all.outstanding)),
          },
          {
            name: t('dayend.npl'),
            value: f.percent1(shareOf(bad.outstanding, all.outstanding)),
            note: t('dayend.npl_note', { count: bad.loans, amount: f.yuan0(bad.outstanding) }),
          },
          {
            name: t('expected_loss'),
            value: f.yuan0(all.expected),
            note: f.percent1(shareOf(all.expected, all.outstanding)),
          },
        ]}
      />
      <div className="split split-even">
        <Panel title={t('dayend.tiers')} className="tiers-bars">
          <ul className="tier-bars">
            {CLASSES.map((c) => {
              const sum = sumOf(lines, (l) => l.class === c);
              return (
                <li key={c} data-class={c}>
                  <Link to={`/loans?class=${c}`}>
                    <Pill tone={toneOf(c)}>{w.word('loan_class', c)}</Pill>
                  </Link>
                  <span className="tier-bar" aria-hidden="true">
                    <i style={{ width: `${shareOf(sum.outstanding, all.outstanding) * 100}%` }} />
                    <i style={{ width: `${shareOf(sum.loans, all.loans) * 100}%` }} />
                  </span>
                  <span className="fw-num">
                    {f.yuan0(sum.outstanding)}
                    <small className="sub">{t('dayend.count', { count: sum.loans })}</small>
                  </span>
                </li>
              );
            })}
          </ul>
          <p className="fw-muted">{t('dayend.bars')}</p>
        </Panel>
        <Panel title={t('dayend.stages')} flush>
          <StageTable lines={lines} />
        </Panel>
      </div>
    </>
  );
}

function StageTable({ lines }: { lines: ClassSum[] }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const columns: Column<number>[] = [
    { key: 'stage', title: t('stage'), cell: (s) => t(`dayend.stage.${s}`) },
    {
      key: 'loans',
      title: t('dayend.number'),
      number: true,
      cell: (s) => f.integer(sumOf(lines, (l) => l.stage === s).loans),
    },
    {
      key: 'outstanding',
      title: t('outstanding'),
      number: true,
      cell: (s) => f.yuan(sumOf(lines, (l) => l.stage === s).outstanding),
    },
    {
      key: 'expected',
      title: t('expected_loss'),
      number: true,
      cell: (s) => f.yuan(sumOf(lines, (l) => l.stage === s).expected),
    },
    {
      key: 'share',
      title: t('dayend.cover'),
      number: true,
      cell: (s) => {
        const sum = sumOf(lines, (l) => l.stage === s);
        return f.percent1(shareOf(sum.expected, sum.outstanding));
      },
    },
  ];
  return (
    <DataTable label={t('dayend.stages')} rows={STAGES} columns={columns} rowKey={(s) => `${s}`} />
  );
}

function Runs({ rows }: { rows: DayRun[] }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const most = Math.max(...rows.map((r) => r.loans), 1);
  const seconds = (r: DayRun) =>
    r.ended_at ? (Date.parse(r.ended_at) - Date.parse(r.started_at)) / 1000 : undefined;
  const columns: Column<DayRun>[] = [
    {
      key: 'date',
      title: t('date'),
      cell: (r) => <span className="nowrap">{f.date(r.date)}</span>,
    },
    {
      key: 'phase',
      title: t('dayend.phase'),
      cell: (r) => (
        <>
          <Pill tone={r.failed ? 'bad' : r.phase === 'ended' ? 'good' : 'info'}>
            {t(`dayend.phases.${r.phase}`, { defaultValue: r.phase })}
          </Pill>
          {r.phase === 'ended' ? null : (
            <progress max={most} value={r.loans} aria-label={t('dayend.progress')} />
          )}
        </>
      ),
    },
    { key: 'loans', title: t('dayend.brought'), number: true, cell: (r) => f.integer(r.loans) },
    {
      key: 'replayed',
      title: t('dayend.replayed'),
      number: true,
      cell: (r) => f.integer(r.replayed),
    },
    { key: 'overdue', title: t('overdue'), number: true, cell: (r) => f.integer(r.overdue) },
    {
      key: 'failed',
      title: t('dayend.failed'),
      number: true,
      cell: (r) => <span className={r.failed ? 'bad' : undefined}>{f.integer(r.failed)}</span>,
    },
    { key: 'interest', title: t('dayend.interest'), number: true, cell: (r) => f.yuan(r.interest) },
    {
      key: 'at',
      title: t('dayend.started'),
      cell: (r) => <span className="nowrap">{f.time(r.started_at)}</span>,
    },
    {
      key: 'took',
      title: t('dayend.took'),
      number: true,
      cell: (r) => {
        const took = seconds(r);
        return took === undefined ? '—' : t('dayend.seconds', { n: f.decimal(took, 2) });
      },
    },
  ];
  return (
    <DataTable
      label={t('dayend.runs')}
      rows={rows}
      columns={columns}
      rowKey={(r) => r.date}
      empty={t('dayend.none')}
      page={20}
    />
  );
}
