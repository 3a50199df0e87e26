import type { LedgerEntry } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { journalFile, useJournal } from './data';
import { LedgerSub } from './LedgerSub';
import { useBookWords } from './names';
import { Day } from './Span';

interface Line {
  entry: LedgerEntry;
  nr: number;
  account: string;
  item: string;
  amount: number;
}

/** The entries of the book in order, a line a posting, and as a file. */
export function JournalPage() {
  const { t } = useTranslation('ledger');
  const f = useFormats();
  const w = useBookWords();
  const [from, setFrom] = useParam('from');
  const [to, setTo] = useParam('to');
  const [item, setItem] = useParam('item');
  const list = useJournal(from, to, item);
  const columns: Column<Line>[] = [
    { key: 'seq', title: t('seq'), number: true, cell: (l) => (l.nr ? '' : l.entry.seq) },
    {
      key: 'date',
      title: t('date'),
      cell: (l) => (l.nr ? '' : <span className="nowrap">{f.date(l.entry.date)}</span>),
    },
    { key: 'kind', title: t('kind'), cell: (l) => (l.nr ? '' : w.entry(l.entry.kind)) },
    {
      key: 'item',
      title: t('item'),
      cell: (l) =>
        l.nr || !l.entry.item ? null : (
          <Link
            to={`/ledger/journal?item=${encodeURIComponent(l.entry.item)}`}
            title={l.entry.item}
          >
            …{l.entry.item.slice(-8)}
          </Link>
        ),
    },
    {
      key: 'account',
      title: t('account'),
      cell: (l) => (
        <Link to={`/ledger/accounts/${encodeURIComponent(l.account)}`}>{w.account(l.account)}</Link>
      ),
    },
    {
      key: 'debit',
      title: t('debit'),
      number: true,
      cell: (l) => (l.amount > 0 ? f.yuan(l.amount) : ''),
    },
    {
      key: 'credit',
      title: t('credit'),
      number: true,
      cell: (l) => (l.amount < 0 ? f.yuan(-l.amount) : ''),
    },
  ];
  const lines = (entries: LedgerEntry[]): Line[] =>
    entries.flatMap((entry) => (entry.postings ?? []).map((p, nr) => ({ entry, nr, ...p })));
  return (
    <Page
      title={t('journal')}
      crumbs={[{ to: '/ledger', text: t('title') }]}
      actions={
        <a className="fw-button" href={journalFile(from, to, item)} download>
          {t('csv')}
        </a>
      }
    >
      <LedgerSub />
      <div className="filters">
        <Day label={t('from')} value={from} onChange={setFrom} />
        <Day label={t('to')} value={to} onChange={setTo} />
        <Input.Search
          key={item}
          className="book-item"
          style={{ width: 'min(320px, 100%)' }}
          aria-label={t('item_filter')}
          placeholder={t('item_filter')}
          defaultValue={item}
          allowClear
          maxLength={200}
          onSearch={(text) => setItem(text.trim())}
        />
      </div>
      <Panel title={t('entries')} flush>
        <Await query={list}>
          {(entries) => (
            <DataTable
              label={t('entries')}
              rows={lines(entries)}
              columns={columns}
              rowKey={(l) => `${l.entry.seq}.${l.nr}`}
              empty={t('no_entries')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}
