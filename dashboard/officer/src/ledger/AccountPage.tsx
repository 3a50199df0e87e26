import type { Move } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Figures, Page, Panel } from '../pieces/Page';
import { useAccount } from './data';
import { Day } from './Span';
import './book.css';

/** An account, or one item of it: its balance on a day and what moved it. */
export function AccountPage() {
  const { code = '' } = useParams();
  const { t, i18n } = useTranslation('ledger');
  const f = useFormats();
  const [on, setOn] = useParam('on');
  const [item, setItem] = useParam('item');
  const pages = useAccount(code, item, on);
  const first = pages.data?.pages[0];
  const moves = pages.data?.pages.flatMap((p) => p.moves) ?? [];
  const side = (fen: number) =>
    fen ? t(fen > 0 ? 'debit_side' : 'credit_side', { amount: f.yuan(Math.abs(fen)) }) : f.yuan(0);
  const columns: Column<Move>[] = [
    { key: 'seq', title: t('seq'), number: true, cell: (m) => m.seq },
    {
      key: 'date',
      title: t('date'),
      cell: (m) => <span className="nowrap">{f.date(m.date)}</span>,
    },
    {
      key: 'item',
      title: t('item'),
      cell: (m) =>
        m.item ? (
          <button type="button" className="link" title={m.item} onClick={() => setItem(m.item)}>
            …{m.item.slice(-8)}
          </button>
        ) : null,
    },
    {
      key: 'debit',
      title: t('debit'),
      number: true,
      cell: (m) => (m.amount > 0 ? f.yuan(m.amount) : ''),
    },
    {
      key: 'credit',
      title: t('credit'),
      number: true,
      cell: (m) => (m.amount < 0 ? f.yuan(-m.amount) : ''),
    },
    {
      key: 'entry',
      title: t('entry_column'),
      cell: (m) =>
        m.item ? (
          <Link to={`/ledger/journal?item=${encodeURIComponent(m.item)}`}>{t('journal')}</Link>
        ) : null,
    },
  ];
  const name = first?.account.name[i18n.language] ?? code;
  return (
    <Page title={name} crumbs={[{ to: '/ledger', text: t('title') }]} lead={<code>{code}</code>}>
      <div className="filters">
        <Day label={t('on')} value={on} onChange={setOn} />
        {item ? (
          <span>
            {t('of_item')} <code title={item}>…{item.slice(-8)}</code>{' '}
            <button type="button" className="fw-button" onClick={() => setItem('')}>
              {t('whole')}
            </button>
          </span>
        ) : null}
      </div>
      <Await query={{ ...pages, data: first }}>
        {(a) => (
          <>
            <Figures
              items={[
                {
                  name: on ? t('balance_on', { day: f.date(on) }) : t('balance_now'),
                  value: side(a.balance),
                },
                ...(a.held_debits || a.held_credits
                  ? [
                      {
                        name: t('held'),
                        value: side(a.held_debits ?? 0),
                        note: side(-(a.held_credits ?? 0)),
                      },
                    ]
                  : []),
              ]}
            />
            <Panel title={t('moves')} flush>
              <DataTable
                label={t('moves')}
                rows={moves}
                columns={columns}
                rowKey={(m) => `${m.seq}.${m.nr}`}
                empty={t('no_moves')}
              />
            </Panel>
            <More
              list={{
                data: moves,
                hasNextPage: pages.hasNextPage,
                isFetchingNextPage: pages.isFetchingNextPage,
                fetchNextPage: pages.fetchNextPage,
              }}
            />
          </>
        )}
      </Await>
    </Page>
  );
}
