import type { RowError } from '@furrow/shared/api/types';
import { Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';

/** What is wrong with the cells of a file, and what to do about each. */
export function Remarks({ errors }: { errors: RowError[] }) {
  const { t } = useTranslation('upload');
  const headers = [...new Set(errors.map((e) => e.column))];
  const header = (column: string) => column || t('whole_row');
  const columns: TableColumnsType<RowError> = [
    { title: t('row'), dataIndex: 'row', width: 70, sorter: (a, b) => a.row - b.row },
    {
      title: t('column'),
      dataIndex: 'column',
      width: 160,
      render: header,
      filters: headers.map((h) => ({ text: header(h), value: h })),
      onFilter: (value, e) => e.column === value,
    },
    { title: t('cell'), dataIndex: 'cell', width: 80, render: (c: string) => <code>{c}</code> },
    {
      title: t('value'),
      dataIndex: 'value',
      width: 200,
      render: (v: string) => (v ? <span className="a-value">{v}</span> : t('blank')),
    },
    {
      title: t('what'),
      dataIndex: 'message',
      className: 'a-what',
      render: (what: string, e) =>
        e.warning ? (
          <>
            <span className="a-tag" data-state="warning">
              {t('warning')}
            </span>{' '}
            {what}
          </>
        ) : (
          what
        ),
    },
  ];
  return (
    <Table<RowError>
      className="a-table"
      size="small"
      rowKey={(e) => `${e.row}/${e.cell}/${e.code}`}
      columns={columns}
      dataSource={errors}
      scroll={{ x: 720 }}
      pagination={{ defaultPageSize: 50, hideOnSinglePage: true }}
    />
  );
}
