import type { Party } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useFirms } from '../data';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';

export function FirmsPage() {
  const { t } = useTranslation('firms');
  const [q, setQ] = useParam('q');
  const [kind, setKind] = useParam('kind');
  const list = useFirms(q, kind === 'anchor');
  return (
    <Page title={t('title')}>
      <div className="filters">
        <Choice
          label={t('kind')}
          value={kind}
          onChange={setKind}
          options={[
            { value: '', text: t('any') },
            { value: 'anchor', text: t('anchors') },
          ]}
        />
        <Input.Search
          key={q}
          defaultValue={q}
          allowClear
          aria-label={t('find')}
          placeholder={t('find')}
          maxLength={100}
          className="find"
          onSearch={(text) => setQ(text.trim())}
        />
      </div>
      <Panel title={t('list')} flush>
        <Await query={list}>{(rows) => <FirmTable rows={rows} empty={t('none')} />}</Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}

export function FirmTable(props: { rows: Party[]; empty: string }) {
  const { t } = useTranslation('firms');
  const f = useFormats();
  const columns: Column<Party>[] = [
    {
      key: 'name',
      title: t('name'),
      sort: (p) => p.name,
      cell: (p) => (
        <>
          <Link to={`/firms/${encodeURIComponent(p.id)}`}>{p.name}</Link>{' '}
          {p.anchor ? <Pill tone="info">{t('anchor')}</Pill> : null}
        </>
      ),
    },
    { key: 'uscc', title: t('uscc'), cell: (p) => <code>{p.uscc || t('no_uscc')}</code> },
    {
      key: 'industry',
      title: t('industry'),
      sort: (p) => p.industry ?? '',
      cell: (p) => p.industry,
    },
    { key: 'rep', title: t('rep'), cell: (p) => p.legal_rep },
    {
      key: 'since',
      title: t('since'),
      sort: (p) => p.created_at,
      cell: (p) => f.date(p.created_at),
    },
  ];
  return (
    <DataTable
      label={t('list')}
      rows={props.rows}
      columns={columns}
      rowKey={(p) => p.id}
      empty={props.empty}
    />
  );
}
