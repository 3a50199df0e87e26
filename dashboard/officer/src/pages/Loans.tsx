import type { Loan } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useHome, useLoans } from '../data';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { subjectPath } from '../pieces/subject';

const states = ['active', 'overdue', 'closed', 'drawing', 'failed'];

export function LoansPage() {
  const { t } = useTranslation('loans');
  const f = useFormats();
  const w = useWords();
  const [state, setState] = useParam('state');
  const list = useLoans(state);
  const counts = useHome().data?.loans ?? {};
  const columns: Column<Loan>[] = [
    {
      key: 'who',
      title: t('who'),
      sort: (l) => l.user_name,
      cell: (l) => <Link to={`/loans/${l.id}`}>{l.user_name}</Link>,
    },
    {
      key: 'subject',
      title: t('subject'),
      sort: (l) => l.subject_name,
      cell: (l) => (
        <>
          <span className="kind">{w.word('subject', l.subject.kind)}</span>{' '}
          <Link to={subjectPath(l.subject.kind, l.subject.id)}>{l.subject_name}</Link>
        </>
      ),
    },
    {
      key: 'product',
      title: t('product'),
      sort: (l) => l.product,
      cell: (l) => w.product(l.product),
    },
    {
      key: 'principal',
      title: t('drawn'),
      number: true,
      sort: (l) => l.principal,
      cell: (l) => f.yuan(l.principal),
    },
    {
      key: 'outstanding',
      title: t('outstanding'),
      number: true,
      sort: (l) => l.outstanding,
      cell: (l) => f.yuan(l.outstanding),
    },
    {
      key: 'overdue',
      title: t('overdue'),
      number: true,
      sort: (l) => l.overdue_amount,
      cell: (l) => (
        <span className={l.overdue_amount ? 'bad' : undefined}>{f.yuan(l.overdue_amount)}</span>
      ),
    },
    {
      key: 'rate',
      title: t('rate'),
      number: true,
      sort: (l) => l.rate,
      cell: (l) => f.rate(l.rate),
    },
    { key: 'next', title: t('next_due'), sort: (l) => l.next_due, cell: (l) => f.date(l.next_due) },
    {
      key: 'state',
      title: t('state'),
      sort: (l) => l.state,
      cell: (l) => <Pill tone={toneOf(l.state)}>{w.word('loan_state', l.state)}</Pill>,
    },
  ];
  return (
    <Page title={t('title')}>
      <Choice
        label={t('state')}
        value={state}
        onChange={setState}
        options={[
          { value: '', text: t('any') },
          ...states.map((s) => ({
            value: s,
            text: w.word('loan_state', s),
            count: counts[s] ?? 0,
          })),
        ]}
      />
      <Panel title={t('list')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('list')}
              rows={rows}
              columns={columns}
              rowKey={(l) => l.id}
              empty={t('none')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}
