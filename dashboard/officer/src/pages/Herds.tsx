import '../herd/texts';
import type { HerdLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useHerds } from '../data';
import { type Column, DataTable } from '../pieces/DataTable';
import { Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';

export function HerdsPage() {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const w = useWords();
  const query = useHerds();
  const count = (key: keyof HerdLine['report'] & string, bad = false): Column<HerdLine> => ({
    key,
    title: t(`n.${key}`),
    number: true,
    sort: (h) => Number(h.report[key]),
    cell: (h) => (
      <span className={bad && h.report[key] ? 'bad' : undefined}>
        {f.integer(Number(h.report[key]))}
      </span>
    ),
  });
  const columns: Column<HerdLine>[] = [
    {
      key: 'name',
      title: t('name'),
      sort: (h) => h.herd.name,
      cell: (h) => <Link to={`/herds/${h.herd.id}`}>{h.herd.name}</Link>,
    },
    {
      key: 'owner',
      title: t('owner'),
      sort: (h) => h.herd.owner_name,
      cell: (h) => h.herd.owner_name,
    },
    { key: 'species', title: t('species'), cell: (h) => w.word('species', h.herd.species) },
    count('registered'),
    count('verified'),
    count('outside', true),
    count('unverified', true),
    count('silent', true),
    {
      key: 'value',
      title: t('value'),
      number: true,
      sort: (h) => h.report.value,
      cell: (h) => f.yuan0(h.report.value),
    },
    {
      key: 'status',
      title: t('status'),
      cell: (h) => <Pill tone={toneOf(h.report.status)}>{w.word('status', h.report.status)}</Pill>,
    },
    {
      key: 'heard',
      title: t('heard'),
      sort: (h) => h.report.last_heard ?? '',
      cell: (h) => f.ago(h.report.last_heard),
    },
  ];
  return (
    <Page title={t('title')}>
      <Panel title={t('list')} flush>
        <Await query={query}>
          {(rows) => (
            <DataTable
              label={t('list')}
              rows={rows}
              columns={columns}
              rowKey={(h) => h.herd.id}
              empty={t('none')}
            />
          )}
        </Await>
      </Panel>
    </Page>
  );
}
