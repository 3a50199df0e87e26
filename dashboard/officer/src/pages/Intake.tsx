import type { Imported, ImportReport, IntakeRemark } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { templateFile, useIntake } from '../paper/data';
import { type Column, DataTable } from '../pieces/DataTable';
import { FileForm } from '../pieces/FileForm';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';

/** Applications from a table: tried first, with what is wrong by cell, and then entered. */
export function IntakePage() {
  const { t } = useTranslation('paper');
  const may = useMay();
  const intake = useIntake();
  const [skipBad, setSkipBad] = useState(false);
  const id = useId();
  return (
    <Page
      title={t('intake')}
      lead={t('intake_lead')}
      crumbs={[{ to: '/applications', text: t('applications') }]}
      actions={
        <a href={templateFile} download>
          {t('template')}
        </a>
      }
    >
      {may ? (
        <Panel title={t('file')}>
          <FileForm
            texts={{ file: t('file_kinds'), attempt: t('try'), keep: t('commit') }}
            sending={intake}
            good={(r) => r.dry_run && r.good > 0 && (skipBad || !r.remarks?.length)}
            send={(file, dryRun) => intake.mutate({ file, dryRun, skipBad })}
            after={
              <span>
                <input
                  id={id}
                  type="checkbox"
                  checked={skipBad}
                  onChange={(e) => setSkipBad(e.target.checked)}
                />{' '}
                <label htmlFor={id}>{t('skip_bad')}</label>
              </span>
            }
          />
          {intake.error ? <Problem error={intake.error} /> : null}
        </Panel>
      ) : (
        <p>{t('officers_only')}</p>
      )}
      {intake.data ? <Report report={intake.data} /> : null}
    </Page>
  );
}

function Report({ report }: { report: ImportReport }) {
  const { t } = useTranslation('paper');
  const f = useFormats();
  const w = useWords();
  const remarks: Column<IntakeRemark & { nr: number }>[] = [
    { key: 'cell', title: t('cell'), cell: (r) => <code>{r.cell}</code> },
    {
      key: 'column',
      title: t('column'),
      cell: (r) => t(`columns.${r.column}`, { defaultValue: r.column }),
    },
    { key: 'why', title: t('why'), cell: (r) => r.why },
  ];
  const items: Column<Imported>[] = [
    { key: 'row', title: t('row'), number: true, cell: (i) => i.row },
    {
      key: 'borrower',
      title: t('borrower'),
      cell: (i) =>
        i.application_id ? (
          <Link to={`/applications/${i.application_id}`}>{i.borrower}</Link>
        ) : (
          i.borrower
        ),
    },
    {
      key: 'state',
      title: t('state'),
      cell: (i) => (
        <>
          {i.state ? <Pill tone={toneOf(i.state)}>{w.word('state', i.state)}</Pill> : null}{' '}
          {i.known ? t('known') : null}
        </>
      ),
    },
  ];
  const wrong = report.remarks ?? [];
  const good = report.items ?? [];
  return (
    <div className="intake-report" role="status" data-created={report.created}>
      <Figures
        items={[
          { name: t('rows'), value: f.integer(report.rows) },
          {
            name: t('good'),
            value: f.integer(report.good),
            note: t('known_count', { count: report.known }),
          },
          { name: t('wrong_cells'), value: f.integer(wrong.length) },
          {
            name: t('created'),
            value: f.integer(report.created),
            note: report.dry_run ? t('only_tried') : undefined,
          },
        ]}
      />
      {wrong.length ? (
        <Panel title={t('wrong')} flush>
          <DataTable
            label={t('wrong')}
            rows={wrong.map((r, nr) => ({ ...r, nr }))}
            columns={remarks}
            rowKey={(r) => `${r.nr}`}
            page={50}
          />
        </Panel>
      ) : null}
      {good.length ? (
        <Panel title={t('good_rows')} flush>
          <DataTable
            label={t('good_rows')}
            rows={good}
            columns={items}
            rowKey={(i) => `${i.row}`}
            page={50}
          />
        </Panel>
      ) : null}
    </div>
  );
}
