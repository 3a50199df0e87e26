import type { PolicyInUse } from '@furrow/shared/api/types';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { usePolicies } from './data';
import { StatusPill } from './StatusPill';
import './texts';
import './strategy.css';

/** The policies of the house, and which version of each decides now. */
export function PoliciesPage() {
  const { t } = useTranslation('strategy');
  const w = useWords();
  const list = usePolicies();
  const columns: Column<PolicyInUse>[] = [
    {
      key: 'name',
      title: t('policy'),
      sort: (p) => p.name,
      cell: (p) => <Link to={`/policies/${encodeURIComponent(p.name)}`}>{p.name}</Link>,
    },
    {
      key: 'subject',
      title: t('subject'),
      sort: (p) => p.subject,
      cell: (p) => w.word('subject', p.subject),
    },
    {
      key: 'over',
      title: t('extends'),
      cell: (p) =>
        p.extends ? (
          <>
            <Link to={`/policies/${encodeURIComponent(p.extends)}`}>{p.extends}</Link>{' '}
            <small className="fw-muted">{(p.industries ?? []).join(', ')}</small>
          </>
        ) : null,
    },
    {
      key: 'decides',
      title: t('decides'),
      cell: (p) => (
        <>
          <code>{shortId(p.decides)}</code>{' '}
          {p.versions?.some((v) => v.status === 'champion') ? null : (
            <Pill tone="calm">{t('shipped')}</Pill>
          )}
        </>
      ),
    },
    {
      key: 'in_force',
      title: t('in_force'),
      cell: (p) => (
        <span className="fw-row">
          {(p.versions ?? []).map((v) => (
            <Link key={v.id} to={versionPath(p.name, v.id)}>
              {t('number', { number: v.number })}{' '}
              <StatusPill status={v.status} share={v.share_bp} />
            </Link>
          ))}
        </span>
      ),
    },
  ];
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Panel title={t('list')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('list')}
              rows={rows}
              columns={columns}
              rowKey={(p) => p.name}
              empty={t('none')}
            />
          )}
        </Await>
      </Panel>
    </Page>
  );
}

/** "plot@2026.1:0123456789abcdef" without the hash. */
export const shortId = (id: string) => id.replace(/:[0-9a-f]+$/, '');

export const versionPath = (policy: string, id: string) =>
  `/policies/${encodeURIComponent(policy)}/${id}`;
