import { DownloadOutlined } from '@ant-design/icons';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Button, Input, Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { csv, download } from '../csv';
import { type Supplier, useSuppliers } from '../data';

export function Suppliers() {
  const { t } = useTranslation('suppliers');
  const suppliers = useSuppliers();
  useTitle(t('title'));
  return (
    <>
      <h1>{t('title')}</h1>
      <Await query={suppliers} lines={8}>
        {(page) =>
          page.items?.length ? (
            <List all={page.items} />
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

/** The firms that sell to the enterprise, with the trade that documents prove. */
function List({ all }: { all: Supplier[] }) {
  const { t } = useTranslation('suppliers');
  const f = useFormats();
  const [search, setSearch] = useSearchParams();
  const query = search.get('q') ?? '';
  const total = all.reduce((sum, s) => sum + s.link.invoiced, 0);
  const share = (s: Supplier) => (total ? s.link.invoiced / total : 0);
  const key = query.normalize('NFKC').trim().toLowerCase();
  const found = all.filter((s) => `${s.firm.name} ${s.firm.uscc}`.toLowerCase().includes(key));
  const period = (s: Supplier) =>
    s.link.first_date
      ? `${f.date(s.link.first_date)} – ${f.date(s.link.last_date)}`
      : t('no_trade');

  const columns: TableColumnsType<Supplier> = [
    {
      title: t('name'),
      render: (_, s) => (
        <>
          {s.firm.name}
          <br />
          <code className="fw-muted">{s.firm.uscc}</code>
        </>
      ),
    },
    number(t('orders'), (s) => s.link.orders, f.integer),
    number(t('invoices'), (s) => s.link.invoices, f.integer),
    number(t('payments'), (s) => s.link.payments, f.integer),
    number(t('invoiced'), (s) => s.link.invoiced, f.yuan),
    number(t('share'), share, f.percent1),
    number(t('paid'), (s) => s.link.paid, f.yuan),
    { title: t('period'), render: (_, s) => period(s) },
    {
      title: t('status'),
      render: (_, s) => (
        <span className="a-tag" data-state={s.standing_status}>
          {t(s.standing_status ?? 'unknown')}
        </span>
      ),
    },
  ];
  const save = () =>
    download(
      `${t('file')}.csv`,
      csv([
        [
          t('name'),
          t('uscc'),
          t('orders'),
          t('invoices'),
          t('payments'),
          t('invoiced'),
          t('paid'),
          t('period'),
          t('status'),
        ],
        ...found.map((s) => [
          s.firm.name,
          s.firm.uscc,
          s.link.orders,
          s.link.invoices,
          s.link.payments,
          (s.link.invoiced / 100).toFixed(2),
          (s.link.paid / 100).toFixed(2),
          period(s),
          t(s.standing_status ?? 'unknown'),
        ]),
      ]),
    );
  return (
    <>
      <p className="fw-muted a-lead">{t('intro')}</p>
      <div className="a-line">
        <Input.Search
          aria-label={t('search')}
          placeholder={t('search')}
          allowClear
          defaultValue={query}
          onSearch={(q) => setSearch(q ? { q } : {}, { replace: true })}
          style={{ maxWidth: 360 }}
        />
        <Button icon={<DownloadOutlined />} onClick={save}>
          {t('download')}
        </Button>
      </div>
      <Table<Supplier>
        className="a-table"
        rowKey={(s) => s.firm.id}
        columns={columns}
        dataSource={found}
        size="middle"
        scroll={{ x: 'max-content' }}
        pagination={{ defaultPageSize: 20, showTotal: (n) => t('total', { count: n }) }}
      />
    </>
  );
}

function number(
  title: string,
  value: (s: Supplier) => number,
  text: (n: number) => string,
): TableColumnsType<Supplier>[number] {
  return {
    title,
    align: 'right',
    className: 'fw-num',
    render: (_, s) => text(value(s)),
    sorter: (a, b) => value(a) - value(b),
  };
}
