import type { PayDifference, PayReport } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { NoteDialog } from '../pieces/NoteDialog';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useResolve, useStatement } from './data';
import { byKind } from './differences';
import { stateTone } from './tones';

/** The differences of a day by kind, each explained by one person or booked by two. */
export function StatementPage() {
  const { day = '' } = useParams();
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const report = useStatement(day);
  return (
    <Page
      title={t('statement_of', { day: f.date(day) })}
      crumbs={[{ to: '/statements', text: t('statements') }]}
    >
      <Await query={report}>{(r) => <Report report={r} />}</Await>
    </Page>
  );
}

function Report({ report }: { report: PayReport }) {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const kinds = byKind(report.differences);
  return (
    <>
      <Figures
        items={[
          {
            name: t('matched'),
            value: f.integer(report.matched),
            note: t('of_lines', { lines: report.lines, orders: report.orders }),
          },
          {
            name: t('bank_moved'),
            value: f.yuan(report.bank_in - report.bank_out),
            note: t('in_out', { in: f.yuan(report.bank_in), out: f.yuan(report.bank_out) }),
          },
          {
            name: t('we_moved'),
            value: f.yuan(report.ours_in - report.ours_out),
            note: t('in_out', { in: f.yuan(report.ours_in), out: f.yuan(report.ours_out) }),
          },
          { name: t('cash_moved'), value: f.yuan(report.cash) },
        ]}
      />
      {kinds.length === 0 ? (
        <div className="book-verdict" data-sound="true" role="status">
          <strong>{t('agrees')}</strong>
        </div>
      ) : null}
      {kinds.map(([kind, rows]) => (
        <Panel key={kind} title={`${t(`difference.${kind}`)} · ${rows.length}`} flush>
          <Differences day={report.day} kind={kind} rows={rows} />
        </Panel>
      ))}
    </>
  );
}

function Differences(props: { day: string; kind: string; rows: PayDifference[] }) {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const may = useMay();
  const { user } = useSession();
  const resolve = useResolve(props.day);
  const [asked, setAsked] = useState<{ id: string; deed: 'explain' | 'book' }>();
  const label = t(`difference.${props.kind}`);
  const columns: Column<PayDifference>[] = [
    {
      key: 'what',
      title: t('what'),
      cell: (d) => [d.party, d.order_id, d.ref, d.detail].filter(Boolean).join(' · '),
    },
    { key: 'row', title: t('row'), number: true, cell: (d) => d.row ?? '' },
    { key: 'bank', title: t('bank_amount'), number: true, cell: (d) => f.yuan(d.bank) },
    { key: 'ours', title: t('our_amount'), number: true, cell: (d) => f.yuan(d.ours) },
    {
      key: 'state',
      title: t('state'),
      cell: (d) => (
        <>
          <Pill tone={d.state === 'proposed' ? 'warn' : stateTone(d.state)}>
            {t(`difference_state.${d.state}`)}
          </Pill>{' '}
          {d.action ? t(`action.${d.action}`) : ''} {d.note}
        </>
      ),
    },
    {
      key: 'act',
      title: t('act'),
      cell: (d) => {
        if (!may || d.state === 'resolved') return null;
        if (d.state === 'open')
          return (
            <span className="fw-row">
              {(['explain', 'book'] as const).map((deed) => (
                <Button key={deed} size="small" onClick={() => setAsked({ id: d.id, deed })}>
                  {t(deed)}
                </Button>
              ))}
            </span>
          );
        if (d.by === user.id) return <span className="fw-muted">{t('second_waits')}</span>;
        return (
          <span className="fw-row">
            {(['confirm', 'reject'] as const).map((deed) => (
              <Button
                key={deed}
                size="small"
                loading={resolve.isPending}
                onClick={() => resolve.mutate({ id: d.id, deed })}
              >
                {t(deed)}
              </Button>
            ))}
          </span>
        );
      },
    },
  ];
  return (
    <>
      <DataTable label={label} rows={props.rows} columns={columns} rowKey={(d) => d.id} />
      {resolve.error && !asked ? <Problem error={resolve.error} compact /> : null}
      {asked ? (
        <NoteDialog
          title={t(asked.deed)}
          label={t(`${asked.deed}_label`)}
          ok={t(asked.deed)}
          pending={resolve.isPending}
          error={resolve.error}
          onOk={(note) =>
            resolve.mutate({ ...asked, note }, { onSuccess: () => setAsked(undefined) })
          }
          onCancel={() => setAsked(undefined)}
        />
      ) : null}
    </>
  );
}
