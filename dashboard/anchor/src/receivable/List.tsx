import type { ReceivableLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Button, Checkbox, Input, Select, Table, type TableColumnsType, Tag } from 'antd';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { More } from '../piece/More';
import { ConfirmAll } from './ConfirmAll';
import { type Filter, type Side, useLines } from './data';
import { Status } from './Status';

const STATES = ['proposed', 'confirmed', 'accepted', 'confirmed,accepted', 'redeemed', 'cancelled'];
const HOLDS = ['asked', 'pledged', 'frozen'];
const PATH = { owed: '/receivables', held: '/holdings' } as const;

/** The receivables of one side, narrowed as the address says. */
export function List({ side }: { side: Side }) {
  const { t } = useTranslation('receivable');
  const [search, setSearch] = useSearchParams();
  const text = (name: string) => search.get(name) ?? '';
  const filter: Filter = {
    state: text('state'),
    hold: text('hold'),
    number: text('number'),
    batch: text('batch'),
    due_from: text('due_from'),
    due_to: text('due_to'),
    overdue: search.has('overdue'),
  };
  const lines = useLines(side, filter);
  const narrowed = [...search.keys()].length > 0;
  const set = (name: keyof Filter, value: string) =>
    setSearch(
      (now) => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  useTitle(t(`${side}.title`));
  return (
    <>
      <div className="a-line">
        <h1>{t(`${side}.title`)}</h1>
        {side === 'owed' ? (
          <span className="fw-row">
            <Link className="fw-button" to="/receivables/pledges">
              {t('pledges')}
            </Link>
            <Link className="fw-button" to="/receivables/batch">
              {t('batch.title')}
            </Link>
            <Link className="fw-button fw-primary" to="/receivables/new">
              {t('propose.title')}
            </Link>
          </span>
        ) : null}
      </div>
      <p className="fw-muted a-lead">{t(`${side}.intro`)}</p>
      <Filters filter={filter} side={side} set={set} />
      {filter.batch ? (
        <>
          <p className="fw-row">
            <Tag closable onClose={() => set('batch', '')}>
              {t('batch.of', { id: filter.batch })}
            </Tag>
          </p>
          <ConfirmAll
            id={filter.batch}
            open={lines.data?.some((l) => l.receivable.state === 'proposed') ?? false}
          />
        </>
      ) : null}
      <Await query={lines} lines={8}>
        {(items) =>
          items.length ? (
            <>
              <Lines side={side} items={items} />
              <More list={lines} text={t('total', { count: items.length })} />
            </>
          ) : (
            <Empty text={t(narrowed ? 'none_found' : `${side}.empty`)}>
              {narrowed ? (
                <Button onClick={() => setSearch({}, { replace: true })}>{t('show_all')}</Button>
              ) : null}
            </Empty>
          )
        }
      </Await>
    </>
  );
}

function Filters(props: {
  filter: Filter;
  side: Side;
  set(name: keyof Filter, value: string): void;
}) {
  const { t } = useTranslation('receivable');
  const { filter, set } = props;
  const id = useId();
  const states = STATES.filter((s) => props.side === 'owed' || s !== 'proposed');
  const options = (values: string[], all: string, word: (v: string) => string) => [
    { value: '', label: all },
    ...values.map((v) => ({ value: v, label: word(v) })),
  ];
  return (
    <div className="r-filters">
      <Select
        aria-label={t('state_column')}
        value={filter.state}
        onChange={(v) => set('state', v)}
        options={options(states, t('all_states'), (v) => t(`state.${v.replace(',', '_')}`))}
      />
      <Select
        aria-label={t('hold_column')}
        value={filter.hold}
        onChange={(v) => set('hold', v)}
        options={options(HOLDS, t('all_holds'), (v) => t(`fate.${v}`))}
      />
      {(['due_from', 'due_to'] as const).map((name) => (
        <div key={name} className="r-dates">
          <label htmlFor={`${id}${name}`}>{t(name)}</label>
          <Input
            id={`${id}${name}`}
            type="date"
            value={filter[name]}
            onChange={(e) => set(name, e.target.value)}
          />
        </div>
      ))}
      <Checkbox
        checked={filter.overdue}
        onChange={(e) => set('overdue', e.target.checked ? '1' : '')}
      >
        {t('overdue_only')}
      </Checkbox>
      <Input.Search
        key={filter.number}
        aria-label={t('search')}
        placeholder={t('search')}
        allowClear
        defaultValue={filter.number}
        onSearch={(q) => set('number', q.trim())}
      />
    </div>
  );
}

function Lines({ side, items }: { side: Side; items: ReceivableLine[] }) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const other = (l: ReceivableLine) =>
    l.names[side === 'owed' ? l.receivable.creditor_id : l.receivable.obligor_id];
  const columns: TableColumnsType<ReceivableLine> = [
    {
      title: t('number'),
      render: (_, l) => (
        <Link to={`${PATH[side]}/${l.receivable.id}`}>
          <code>{l.receivable.number}</code>
        </Link>
      ),
    },
    { title: t(side === 'owed' ? 'creditor' : 'obligor'), render: (_, l) => other(l) },
    {
      title: t('amount'),
      align: 'right',
      className: 'fw-num',
      render: (_, l) => f.yuan(l.receivable.amount),
    },
    {
      title: t('outstanding'),
      align: 'right',
      className: 'fw-num',
      render: (_, l) => f.yuan(l.outstanding),
    },
    { title: t('due'), render: (_, l) => f.date(l.receivable.due) },
    { title: t('state_column'), render: (_, l) => <Status line={l} /> },
    {
      title: t('hold_column'),
      render: (_, l) => {
        const holds = new Set(l.receivable.parts?.map((p) => p.hold?.kind));
        return HOLDS.filter((h) => holds.has(h))
          .map((h) => t(`fate.${h}`))
          .join(t('and'));
      },
    },
  ];
  return (
    <Table<ReceivableLine>
      className="a-table"
      rowKey={(l) => l.receivable.id}
      columns={columns}
      dataSource={items}
      size="middle"
      scroll={{ x: 'max-content' }}
      pagination={false}
    />
  );
}
