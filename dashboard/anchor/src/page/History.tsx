import type { Upload } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { KINDS, useUploads } from '../data';
import { More } from '../piece/More';
import { StateTag } from '../piece/StateTag';

const STATES = ['checking', 'refused', 'checked', 'committing', 'committed', 'undone', 'lapsed'];

/** Every upload of the enterprise: who, when, which file, what came of it. */
export function History() {
  const { t } = useTranslation('history');
  const { t: tu } = useTranslation('upload');
  const f = useFormats();
  const uploads = useUploads();
  useTitle(t('title'));
  const count = (name: 'rows' | 'good' | 'known' | 'bad') => ({
    title: tu(name),
    dataIndex: name,
    align: 'right' as const,
    render: (n: number) => f.integer(n),
  });
  const columns: TableColumnsType<Upload> = [
    {
      title: tu('when'),
      dataIndex: 'created_at',
      width: 130,
      render: (at: string) => f.time(at),
      sorter: (a, b) => a.created_at.localeCompare(b.created_at),
    },
    {
      title: tu('file'),
      dataIndex: 'file_name',
      render: (name: string, u) => <Link to={`/uploads/${u.id}`}>{name}</Link>,
    },
    {
      title: tu('kind_column'),
      dataIndex: 'kind',
      render: (kind: string) => tu(`kind.${kind}`),
      filters: KINDS.map((k) => ({ text: tu(`kind.${k}`), value: k })),
      onFilter: (value, u) => u.kind === value,
    },
    { title: tu('who'), dataIndex: 'user_name', className: 'a-clip' },
    count('rows'),
    count('good'),
    count('known'),
    count('bad'),
    {
      title: tu('state_column'),
      dataIndex: 'state',
      render: (_, u) => <StateTag upload={u} />,
      filters: STATES.map((s) => ({ text: tu(`state.${s}`), value: s })),
      onFilter: (value, u) => u.state === value,
    },
    {
      title: tu('hash'),
      dataIndex: 'sha256',
      render: (hash: string) => (hash ? <code title={hash}>{hash.slice(0, 12)}</code> : null),
    },
  ];
  return (
    <>
      <h1>{t('title')}</h1>
      <Await query={uploads} lines={8}>
        {(items) =>
          items.length ? (
            <>
              <Table<Upload>
                className="a-table"
                rowKey="id"
                columns={columns}
                dataSource={items}
                size="middle"
                scroll={{ x: 'max-content' }}
                pagination={false}
              />
              <More list={uploads} text={t('total', { count: items.length })} />
            </>
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
