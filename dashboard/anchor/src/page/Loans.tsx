import { api, body } from '@furrow/shared/api/client';
import type { AnchorFinancedLoan } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { useWords } from '@furrow/shared/words';
import { useQuery } from '@tanstack/react-query';
import { Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

/** Loans of the enterprise's own chain: on receivables that it owes, or for its goods. */
export function Loans() {
  const { t } = useTranslation('financed');
  const loans = useQuery({
    queryKey: ['financed'],
    queryFn: async () => (await body(api.GET('/api/v1/anchor/loans'))).items ?? [],
  });
  useTitle(t('title'));
  return (
    <>
      <h1>{t('title')}</h1>
      <p className="fw-muted a-lead">{t('intro')}</p>
      <Await query={loans} lines={6}>
        {(list) => (list.length ? <Rows of={list} /> : <Empty text={t('empty')} />)}
      </Await>
    </>
  );
}

function Rows({ of }: { of: AnchorFinancedLoan[] }) {
  const { t } = useTranslation('financed');
  const f = useFormats();
  const w = useWords();
  const columns: TableColumnsType<AnchorFinancedLoan> = [
    { title: t('name'), dataIndex: 'name' },
    {
      title: t('basis'),
      render: (_, l) => (
        <Link to={l.basis === 'sale' ? `/sales/${l.ref}` : `/receivables/${l.ref}`}>
          {t(`of.${l.basis}`)}
        </Link>
      ),
    },
    { title: t('product'), render: (_, l) => w.product(l.product) },
    { title: t('amount'), align: 'right', render: (_, l) => f.yuan(l.amount) },
    {
      title: t('state'),
      render: (_, l) => (
        <span className="a-tag" data-state={l.state}>
          {w.word('loan_state', l.state)}
        </span>
      ),
    },
    { title: t('drawn_on'), render: (_, l) => f.date(l.drawn_on) },
    { title: t('due_on'), render: (_, l) => f.date(l.due_on) },
  ];
  return (
    <Table<AnchorFinancedLoan>
      className="a-table"
      rowKey={(l) => `${l.basis}/${l.ref}/${l.drawn_on}/${l.amount}`}
      columns={columns}
      dataSource={of}
      size="middle"
      scroll={{ x: 'max-content' }}
      pagination={{ defaultPageSize: 50, hideOnSinglePage: true }}
    />
  );
}
