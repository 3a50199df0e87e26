import type { Loan } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useCatalogue, useWords } from '@furrow/shared/words';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useHome } from '../data';
import { useFilteredLoans } from '../loan/data';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { subjectPath } from '../pieces/subject';

const STATES = ['active', 'overdue', 'closed', 'written_off', 'drawing', 'failed'];
const CLASSES = ['normal', 'special_mention', 'substandard', 'doubtful', 'loss'];
const OVERDUE = ['1', '31', '91', '271', '361'];

export function LoansPage() {
  const { t } = useTranslation('loans');
  const f = useFormats();
  const w = useWords();
  const [state, setState] = useParam('state');
  const [tier, setTier] = useParam('class');
  const [product, setProduct] = useParam('product');
  const [overdue, setOverdue] = useParam('overdue');
  const list = useFilteredLoans({ state, class: tier, product, overdue });
  const products = useCatalogue().data?.products ?? [];
  const s = useTranslation('servicing').t;
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
    {
      key: 'days',
      title: s('days_overdue'),
      number: true,
      sort: (l) => l.overdue_days,
      cell: (l) => (l.overdue_days ? <span className="bad">{l.overdue_days}</span> : 0),
    },
    {
      key: 'class',
      title: t('class'),
      sort: (l) => CLASSES.indexOf(l.class),
      cell: (l) => <Pill tone={toneOf(l.class)}>{w.word('loan_class', l.class)}</Pill>,
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
    <Page title={t('title')} actions={<Link to="/dayend">{s('dayend.title')}</Link>}>
      <Choice
        label={t('state')}
        value={state}
        onChange={setState}
        options={[
          { value: '', text: t('any') },
          ...STATES.map((s) => ({
            value: s,
            text: w.word('loan_state', s),
            count: counts[s] ?? 0,
          })),
        ]}
      />
      <div className="filters">
        <Select
          label={t('class')}
          value={tier}
          onChange={setTier}
          options={CLASSES.map((c) => [c, w.word('loan_class', c)])}
        />
        <Select
          label={t('product')}
          value={product}
          onChange={setProduct}
          options={products.map((p) => [p.code, w.product(p.code)])}
        />
        <Select
          label={t('overdue')}
          value={overdue}
          onChange={setOverdue}
          options={OVERDUE.map((n) => [n, s('overdue_from', { count: Number(n) })])}
        />
      </div>
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

/** One choice of many; none is all. */
function Select(props: {
  label: string;
  value: string;
  options: [value: string, text: string][];
  onChange(value: string): void;
}) {
  const { t } = useTranslation('loans');
  const id = useId();
  return (
    <span className="panel-field">
      <label htmlFor={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(e) => props.onChange(e.target.value)}>
        <option value="">{t('any')}</option>
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </span>
  );
}
