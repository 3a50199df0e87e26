import type { Application } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useApplications, useHome } from '../data';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';

const states = [
  'referred',
  'submitted',
  'offered',
  'accepted',
  'signed',
  'active',
  'refused',
  'expired',
  'closed',
];

export function ApplicationsPage() {
  const { t } = useTranslation('applications');
  const w = useWords();
  const [state, setState] = useParam('state');
  const list = useApplications(state);
  const may = useMay();
  const counts = useHome().data?.applications ?? {};
  return (
    <Page
      title={t('title')}
      actions={
        may ? (
          <>
            <Link to="/intake">{t('intake')}</Link>
            <Link to="/applications/new">{t('counter')}</Link>
            <Link to="/contracts/verify">{t('check_contract')}</Link>
          </>
        ) : null
      }
    >
      <Choice
        label={t('state')}
        value={state}
        onChange={setState}
        options={[
          { value: '', text: t('any') },
          ...states.map((s) => ({ value: s, text: w.word('state', s), count: counts[s] ?? 0 })),
        ]}
      />
      <Panel title={t('list')} flush>
        <Await query={list}>{(rows) => <ApplicationTable rows={rows} empty={t('none')} />}</Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}

/** Applications as rows; `brief` leaves out what the work queue does not need. */
export function ApplicationTable(props: { rows: Application[]; empty: string; brief?: boolean }) {
  const { t } = useTranslation('applications');
  const f = useFormats();
  const w = useWords();
  const columns: Column<Application>[] = [
    {
      key: 'who',
      title: t('who'),
      sort: (a) => a.user_name,
      cell: (a) => <Link to={`/applications/${a.id}`}>{a.user_name}</Link>,
    },
    {
      key: 'subject',
      title: t('subject'),
      sort: (a) => a.subject_name,
      cell: (a) => (
        <>
          <span className="kind">{w.word('subject', a.subject.kind)}</span> {a.subject_name}
        </>
      ),
    },
    {
      key: 'product',
      title: t('product'),
      sort: (a) => a.product,
      cell: (a) => w.product(a.product),
    },
    {
      key: 'asked',
      title: t('asked'),
      number: true,
      sort: (a) => a.asked,
      cell: (a) => f.yuan0(a.asked),
    },
    {
      key: 'limit',
      title: t('limit'),
      number: true,
      sort: (a) => a.limit,
      cell: (a) => (a.limit ? f.yuan0(a.limit) : f.yuan0(undefined)),
    },
    {
      key: 'rate',
      title: t('rate'),
      number: true,
      sort: (a) => a.rate,
      cell: (a) => (a.rate ? f.rate(a.rate) : f.rate(undefined)),
    },
    {
      key: 'state',
      title: t('state'),
      sort: (a) => a.state,
      cell: (a) => <Pill tone={toneOf(a.state)}>{w.word('state', a.state)}</Pill>,
    },
    {
      key: 'at',
      title: t('at'),
      sort: (a) => a.created_at,
      cell: (a) => <span className="nowrap">{f.time(a.created_at)}</span>,
    },
  ];
  const brief = ['who', 'subject', 'asked', 'limit', 'at'];
  return (
    <DataTable
      label={t('list')}
      rows={props.rows}
      columns={props.brief ? columns.filter((c) => brief.includes(c.key)) : columns}
      rowKey={(a) => a.id}
      empty={props.empty}
    />
  );
}
