import type { Answer } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useCollaterals, useProposals } from './data';
import { Proposals } from './Proposals';

/** What stands behind loans, margin calls, and acts that wait for a second person. */
export function CollateralsPage() {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const w = useWords();
  const [show, setShow] = useParam('show');
  const list = useCollaterals(show);
  const proposals = useProposals();
  const columns: Column<Answer>[] = [
    {
      key: 'borrower',
      title: t('borrower'),
      cell: ({ pool }) => (
        <Link to={`/collateral/${encodeURIComponent(pool.application_id)}`}>{pool.user_name}</Link>
      ),
    },
    { key: 'product', title: t('product'), cell: ({ pool }) => w.product(pool.product) },
    {
      key: 'assets',
      title: t('assets'),
      number: true,
      cell: ({ cover }) => f.integer(cover.assets),
    },
    {
      key: 'value',
      title: t('value'),
      number: true,
      sort: ({ cover }) => cover.value,
      cell: ({ cover }) => f.yuan(cover.value),
    },
    {
      key: 'advance',
      title: t('advance'),
      number: true,
      cell: ({ cover }) => f.yuan(cover.advance),
    },
    {
      key: 'owed',
      title: t('owed'),
      number: true,
      sort: ({ cover }) => cover.owed,
      cell: ({ cover }) => f.yuan(cover.owed),
    },
    {
      key: 'cover',
      title: t('cover'),
      number: true,
      sort: ({ cover }) => cover.cover_bp ?? Number.MAX_SAFE_INTEGER,
      cell: ({ cover }) =>
        cover.cover_bp === undefined ? '—' : f.percent1(cover.cover_bp / 10_000),
    },
    {
      key: 'state',
      title: t('state'),
      cell: ({ pool }) =>
        pool.call ? (
          <Pill tone="bad">{t('called_until', { day: f.date(pool.call.due) })}</Pill>
        ) : (
          <Pill tone={pool.closed ? 'calm' : 'good'}>{t(pool.closed ? 'ended' : 'stands')}</Pill>
        ),
    },
  ];
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        <a
          className="fw-button"
          href={`/api/v1/officer/collateral.csv${show === 'called' ? '?called=true' : ''}`}
          download
        >
          {t('csv')}
        </a>
      }
    >
      <Panel title={t('proposals')}>
        <Await query={proposals} lines={2}>
          {(rows) => <Proposals rows={rows} link />}
        </Await>
      </Panel>
      <Choice
        label={t('state')}
        value={show}
        onChange={setShow}
        options={[
          { value: '', text: t('show_open') },
          { value: 'called', text: t('show_called') },
          { value: 'all', text: t('show_all') },
        ]}
      />
      <Panel title={t(show === 'called' ? 'show_called' : 'list')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('list')}
              rows={rows}
              columns={columns}
              rowKey={({ pool }) => pool.application_id}
              empty={t(show === 'called' ? 'no_calls' : 'none')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}
