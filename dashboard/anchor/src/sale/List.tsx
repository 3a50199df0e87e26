import type { PurchaseOrder } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { useWords } from '@furrow/shared/words';
import { Button, Select, Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { More } from '../piece/More';
import { STATES, type State } from './acts';
import { useSales } from './data';

/** Orders that the firm is to deliver, newest first, those of one state or all. */
export function List() {
  const { t } = useTranslation('sale');
  const [search, setSearch] = useSearchParams();
  const wanted = search.get('state') as State;
  const state = STATES.includes(wanted) ? wanted : '';
  const sales = useSales(state);
  useTitle(t('title'));
  const set = (value: string) => setSearch(value ? { state: value } : {}, { replace: true });
  return (
    <>
      <h1>{t('title')}</h1>
      <p className="fw-muted a-lead">{t('intro')}</p>
      <p className="a-tools">
        <Select
          aria-label={t('state_column')}
          value={state}
          onChange={set}
          options={[
            { value: '', label: t('all_states') },
            ...STATES.map((value) => ({ value, label: t(`state.${value}`) })),
          ]}
        />
      </p>
      <Await query={sales} lines={8}>
        {(items) =>
          items.length ? (
            <>
              <Orders of={items} />
              <More list={sales} text={t('total', { count: items.length })} />
            </>
          ) : (
            <Empty text={t(state ? 'none_found' : 'empty')}>
              {state ? <Button onClick={() => set('')}>{t('show_all')}</Button> : null}
            </Empty>
          )
        }
      </Await>
    </>
  );
}

function Orders({ of }: { of: PurchaseOrder[] }) {
  const { t } = useTranslation('sale');
  const f = useFormats();
  const words = useWords();
  const columns: TableColumnsType<PurchaseOrder> = [
    {
      title: t('placed'),
      render: (_, o) => <Link to={`/sales/${o.id}`}>{f.time(o.created_at)}</Link>,
    },
    { title: t('buyer'), dataIndex: 'user_name' },
    {
      title: t('goods'),
      className: 's-goods',
      render: (_, o) =>
        o.lines
          .map((l) => `${words.goods(l.goods)} ${l.quantity} ${words.unit(l.unit)}`)
          .join(t('and')),
    },
    { title: t('amount'), align: 'right', className: 'fw-num', render: (_, o) => f.yuan(o.amount) },
    { title: t('state_column'), render: (_, o) => <StateTag state={o.state} /> },
    { title: t('delivery'), render: (_, o) => (o.delivery ? f.time(o.delivery.at) : t('not_yet')) },
    { title: t('loan'), render: (_, o) => words.product(o.product) },
  ];
  return (
    <Table<PurchaseOrder>
      className="a-table"
      rowKey="id"
      columns={columns}
      dataSource={of}
      size="middle"
      scroll={{ x: 'max-content' }}
      pagination={false}
    />
  );
}

/** Where an order stands, in a word and a colour. */
export function StateTag({ state }: { state: string }) {
  const { t } = useTranslation('sale');
  return (
    <span className="a-tag" data-state={state}>
      {t(`state.${state}`)}
    </span>
  );
}
