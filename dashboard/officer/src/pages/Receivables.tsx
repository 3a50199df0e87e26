import type { ReceivableLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { FirmSelect } from '../chain/FirmSelect';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { STATES, useReceivables } from '../receivable/data';
import { ExposurePanel } from '../receivable/ExposurePanel';
import { StatePills } from '../receivable/StatePills';

/** The receivables of all anchors, and how much each of them owes. */
export function ReceivablesPage() {
  const { t } = useTranslation('receivables');
  const f = useFormats();
  const [state, setState] = useParam('state');
  const [obligor, setObligor] = useParam('obligor');
  const list = useReceivables(state, obligor);
  const columns: Column<ReceivableLine>[] = [
    {
      key: 'number',
      title: t('number'),
      cell: (l) => (
        <Link to={`/receivables/${encodeURIComponent(l.receivable.id)}`}>
          {l.receivable.number}
        </Link>
      ),
    },
    { key: 'obligor', title: t('obligor'), cell: (l) => l.names[l.receivable.obligor_id] },
    { key: 'creditor', title: t('creditor'), cell: (l) => l.names[l.receivable.creditor_id] },
    {
      key: 'amount',
      title: t('amount'),
      number: true,
      sort: (l) => l.receivable.amount,
      cell: (l) => f.yuan(l.receivable.amount),
    },
    {
      key: 'outstanding',
      title: t('outstanding'),
      number: true,
      sort: (l) => l.outstanding,
      cell: (l) => f.yuan(l.outstanding),
    },
    {
      key: 'due',
      title: t('due'),
      sort: (l) => l.receivable.due,
      cell: (l) => <span className="nowrap">{f.date(l.receivable.due)}</span>,
    },
    {
      key: 'state',
      title: t('state_column'),
      cell: (l) => (
        <>
          <StatePills line={l} />{' '}
          {(l.receivable.parts ?? []).some((p) => p.hold?.kind === 'asked') ? (
            <Pill tone="warn">{t('fate.asked')}</Pill>
          ) : null}
        </>
      ),
    },
  ];
  return (
    <Page title={t('title')} lead={t('lead')}>
      <ExposurePanel />
      <div className="filters">
        <Choice
          label={t('state_column')}
          value={state}
          onChange={setState}
          options={[
            { value: '', text: t('any') },
            { value: 'overdue', text: t('overdue_only') },
            ...STATES.map((s) => ({ value: s, text: t(`state.${s}`) })),
          ]}
        />
        <FirmSelect
          label={t('obligor_filter')}
          value={obligor}
          onChange={setObligor}
          anchorsFirst
        />
      </div>
      <Panel title={t('list')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('list')}
              rows={rows}
              columns={columns}
              rowKey={(l) => l.receivable.id}
              empty={t('none')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}
