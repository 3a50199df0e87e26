import { api, body } from '@furrow/shared/api/client';
import type { PledgeNotice } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { useQuery } from '@tanstack/react-query';
import { Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

/** What the enterprise owes that suppliers pledged: it is to be paid to the funder. */
export function Pledges() {
  const { t } = useTranslation('pledge');
  const notices = useQuery({
    queryKey: ['pledge-notices'],
    queryFn: async () => (await body(api.GET('/api/v1/anchor/pledge-notices'))).items ?? [],
  });
  useTitle(t('title'));
  return (
    <>
      <p>
        <Link to="/receivables">{t('back')}</Link>
      </p>
      <h1>{t('title')}</h1>
      <p className="fw-muted a-lead">{t('intro')}</p>
      <Await query={notices} lines={6}>
        {(list) => (list.length ? <Notices of={list} /> : <Empty text={t('empty')} />)}
      </Await>
    </>
  );
}

function Notices({ of }: { of: PledgeNotice[] }) {
  const { t } = useTranslation('pledge');
  const f = useFormats();
  const columns: TableColumnsType<PledgeNotice> = [
    {
      title: t('receivable'),
      render: (_, n) => <Link to={`/receivables/${n.receivable_id}`}>{n.label}</Link>,
    },
    {
      title: t('status'),
      render: (_, n) => (
        <span className="a-tag" data-state={n.status}>
          {t(`state.${n.status}`, { defaultValue: n.status })}
        </span>
      ),
    },
    {
      title: t('pay_to'),
      render: (_, n) => t(n.status === 'held' ? 'to_funder' : 'to_holder'),
    },
    { title: t('held_at'), render: (_, n) => f.time(n.held_at) },
    { title: t('ended_at'), render: (_, n) => (n.ended_at ? f.time(n.ended_at) : t('open')) },
  ];
  return (
    <Table<PledgeNotice>
      className="a-table"
      rowKey={(n) => `${n.asset_id}/${n.held_at}`}
      columns={columns}
      dataSource={of}
      size="middle"
      scroll={{ x: 'max-content' }}
      pagination={{ defaultPageSize: 50, hideOnSinglePage: true }}
    />
  );
}
