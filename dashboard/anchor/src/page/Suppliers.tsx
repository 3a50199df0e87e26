import { DownloadOutlined } from '@ant-design/icons';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty, Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Button, Input, Select, Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { csv, download } from '../csv';
import { SORTS, type Sort, type Supplier, useAllSuppliers, useSuppliers } from '../data';
import { More } from '../piece/More';

/** The firms that sell to the enterprise, with the trade that documents prove. */
export function Suppliers() {
  const { t } = useTranslation('suppliers');
  const [search, setSearch] = useSearchParams();
  const q = search.get('q') ?? '';
  const wanted = search.get('sort') as Sort;
  const sort = SORTS.includes(wanted) ? wanted : 'invoiced';
  const suppliers = useSuppliers(q, sort);
  useTitle(t('title'));
  const set = (name: string, value: string) =>
    setSearch(
      (now) => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  return (
    <>
      <h1>{t('title')}</h1>
      <p className="fw-muted a-lead">{t('intro')}</p>
      <div className="a-line">
        <span className="fw-row a-tools">
          <Input.Search
            aria-label={t('search')}
            placeholder={t('search')}
            allowClear
            key={q}
            defaultValue={q}
            onSearch={(text) => set('q', text.trim())}
          />
          <Select
            aria-label={t('sort')}
            value={sort}
            options={SORTS.map((value) => ({ value, label: t(`by.${value}`) }))}
            onChange={(value) => set('sort', value === 'invoiced' ? '' : value)}
          />
        </span>
        <Save q={q} sort={sort} />
      </div>
      <Await query={suppliers} lines={8}>
        {(found) =>
          found.total ? (
            <>
              <List of={found.items} whole={found.invoiced} />
              <More
                list={suppliers}
                text={t('shown', { shown: found.items.length, count: found.total })}
                more={t('more')}
              />
            </>
          ) : q ? (
            <Empty text={t('none_found')}>
              <button type="button" className="fw-button" onClick={() => set('q', '')}>
                {t('show_all')}
              </button>
            </Empty>
          ) : (
            <Empty text={t('empty')}>
              <Link className="fw-button fw-primary" to="/">
                {t('portal:to_upload')}
              </Link>
            </Empty>
          )
        }
      </Await>
    </>
  );
}

function usePeriod() {
  const { t } = useTranslation('suppliers');
  const f = useFormats();
  return (s: Supplier) =>
    s.link.first_date
      ? `${f.date(s.link.first_date)} – ${f.date(s.link.last_date)}`
      : t('no_trade');
}

function List(props: { of: Supplier[]; whole: number }) {
  const { t } = useTranslation('suppliers');
  const f = useFormats();
  const period = usePeriod();
  const columns: TableColumnsType<Supplier> = [
    {
      title: t('name'),
      render: (_, s) => (
        <>
          {s.firm.name}
          <br />
          <code className="fw-muted">{s.firm.uscc || t('no_code')}</code>
        </>
      ),
    },
    number(t('orders'), (s) => f.integer(s.link.orders)),
    number(t('invoices'), (s) => f.integer(s.link.invoices)),
    number(t('payments'), (s) => f.integer(s.link.payments)),
    number(t('invoiced'), (s) => f.yuan(s.link.invoiced)),
    number(t('share'), (s) => f.percent1(props.whole ? s.link.invoiced / props.whole : 0)),
    number(t('paid'), (s) => f.yuan(s.link.paid)),
    { title: t('period'), render: (_, s) => period(s) },
    {
      title: t('status'),
      render: (_, s) =>
        s.standing_status ? (
          <span className="a-tag" data-state={s.standing_status}>
            {t(s.standing_status)}
          </span>
        ) : null,
    },
  ];
  return (
    <Table<Supplier>
      className="a-table"
      rowKey={(s) => s.firm.id}
      columns={columns}
      dataSource={props.of}
      size="middle"
      scroll={{ x: 'max-content' }}
      pagination={false}
    />
  );
}

/** All that the search finds, as a file, whatever part of it is on the page. */
function Save(props: { q: string; sort: Sort }) {
  const { t } = useTranslation('suppliers');
  const period = usePeriod();
  const all = useAllSuppliers();
  const head = ['name', 'uscc', 'orders', 'invoices', 'payments', 'invoiced', 'paid', 'period'];
  const save = (found: Supplier[]) =>
    download(
      `${t('file')}.csv`,
      csv([
        head.map((name) => t(name)),
        ...found.map((s) => [
          s.firm.name,
          s.firm.uscc,
          s.link.orders,
          s.link.invoices,
          s.link.payments,
          (s.link.invoiced / 100).toFixed(2),
          (s.link.paid / 100).toFixed(2),
          period(s),
        ]),
      ]),
    );
  return (
    <>
      <Button
        icon={<DownloadOutlined />}
        loading={all.isPending}
        onClick={() => all.mutate(props, { onSuccess: save })}
      >
        {t('download')}
      </Button>
      {all.error ? <Problem compact error={all.error} /> : null}
    </>
  );
}

function number(title: string, text: (s: Supplier) => string): TableColumnsType<Supplier>[number] {
  return { title, align: 'right', className: 'fw-num', render: (_, s) => text(s) };
}
