import type {
  OfficerBoundLine,
  OfficerFunderBook,
  Participant,
  PoolUse,
  SharingAgreement,
} from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty, Loading } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { StackedBar, UsedBar } from './Bar';
import { useBounds, useFunders, usePools, useStatements } from './data';
import { monthOf, share } from './period';
import '../ledger/book.css';

/** Who funds loans: what each holds, how far each rule is used, pools and agreements. */
export function FundsPage() {
  const { t } = useTranslation('fund');
  const book = useFunders();
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Await query={book} lines={10}>
        {(b) => (
          <>
            <Positions funders={b.funders} />
            <Bounds book={b} />
            <Pools funders={b.funders} />
            <Funders funders={b.funders} />
            <Agreements book={b} />
          </>
        )}
      </Await>
    </Page>
  );
}

function useNames(funders: Participant[]) {
  const { t, i18n } = useTranslation('fund');
  return (code: string) =>
    code ? (funders.find((x) => x.code === code)?.name[i18n.language] ?? code) : t('bank');
}

function Positions({ funders }: { funders: Participant[] }) {
  const { t } = useTranslation('fund');
  const f = useFormats();
  const name = useNames(funders);
  const lenders = funders.filter((x) => x.kind !== 'government');
  const statements = useStatements(
    lenders.map((x) => x.code),
    monthOf(new Date()),
  );
  const parts = lenders.flatMap((x, i) => {
    const closing = statements[i]?.data?.closing ?? 0;
    return closing > 0
      ? [{ key: x.code, name: name(x.code), value: closing, text: f.yuanShort(closing) }]
      : [];
  });
  return (
    <Panel title={t('positions')}>
      {statements.some((s) => s.isPending) ? (
        <Loading lines={2} />
      ) : parts.length ? (
        <StackedBar label={t('positions')} parts={parts} />
      ) : (
        <Empty text={t('no_positions')} />
      )}
    </Panel>
  );
}

function Bounds({ book }: { book: OfficerFunderBook }) {
  const { t, i18n } = useTranslation('fund');
  const f = useFormats();
  const bounds = useBounds();
  const name = useNames(book.funders);
  const who = (b: OfficerBoundLine) =>
    [name(b.party), b.debtor_name || b.debtor].filter(Boolean).join(' · ');
  return (
    <Panel title={t('bounds')}>
      <Await query={bounds} lines={4}>
        {(list) =>
          list.length ? (
            <ul className="bounds">
              {list.map((b) => (
                <li key={b.code + b.party}>
                  <p>
                    <span>
                      <b>{t(`bound.${b.code}`)}</b> · {who(b)}
                    </span>
                    <span className="fw-num">
                      {f.yuanShort(b.used)} / {f.yuanShort(b.max)} · {f.percent1(share(b.used_bp))}
                    </span>
                  </p>
                  <UsedBar share={share(b.used_bp)} />
                  <small className="fw-muted">
                    {b.article[i18n.language] ?? b.article['zh-CN']} ·{' '}
                    {t('as_of', { day: b.as_of, source: b.source })}
                  </small>
                </li>
              ))}
            </ul>
          ) : (
            <Empty text={t('no_bounds')} />
          )
        }
      </Await>
      {book.capital ? (
        <p className="fw-muted">
          {t('capital', {
            tier1: f.yuanShort(book.capital.tier1_net_fen),
            loans: f.yuanShort(book.capital.loans_fen),
            day: book.capital.as_of,
            source: book.capital.source,
          })}
        </p>
      ) : null}
    </Panel>
  );
}

function Pools({ funders }: { funders: Participant[] }) {
  const { t } = useTranslation('fund');
  const f = useFormats();
  const pools = usePools();
  const name = useNames(funders);
  const columns: Column<PoolUse>[] = [
    {
      key: 'bucket',
      title: t('pool'),
      cell: (p) => {
        const [code = '', vintage] = p.bucket.split('/');
        return [name(code), vintage].filter(Boolean).join(' · ');
      },
    },
    { key: 'cap', title: t('cap'), number: true, cell: (p) => f.yuan(p.cap) },
    { key: 'used', title: t('used'), number: true, cell: (p) => f.yuan(p.used) },
    {
      key: 'share',
      title: t('share_used'),
      cell: (p) => (
        <>
          {f.percent1(p.cap ? p.used / p.cap : 0)}
          <UsedBar share={p.cap ? p.used / p.cap : 0} />
        </>
      ),
    },
    { key: 'money', title: t('money'), number: true, cell: (p) => f.yuan(p.money) },
    {
      key: 'outstanding',
      title: t('outstanding'),
      number: true,
      cell: (p) => f.yuan(p.outstanding),
    },
  ];
  return (
    <Panel title={t('pools')} flush>
      <Await query={pools} lines={2}>
        {(rows) => (
          <DataTable
            label={t('pools')}
            rows={rows}
            columns={columns}
            rowKey={(p) => p.bucket}
            empty={t('no_pools')}
          />
        )}
      </Await>
    </Panel>
  );
}

function Funders({ funders }: { funders: Participant[] }) {
  const { t } = useTranslation('fund');
  const f = useFormats();
  const name = useNames(funders);
  const columns: Column<Participant>[] = [
    {
      key: 'name',
      title: t('funder'),
      cell: (x) => <Link to={`/funds/${encodeURIComponent(x.code)}`}>{name(x.code)}</Link>,
    },
    { key: 'kind', title: t('kind_column'), cell: (x) => t(`kind.${x.kind}`) },
    {
      key: 'net',
      title: t('net_assets'),
      number: true,
      cell: (x) => (x.net_assets_fen ? f.yuanShort(x.net_assets_fen) : ''),
    },
    {
      key: 'source',
      title: t('source'),
      cell: (x) => [x.as_of, x.source].filter(Boolean).join(' · '),
    },
  ];
  return (
    <Panel title={t('funders')} flush>
      <DataTable
        label={t('funders')}
        rows={funders}
        columns={columns}
        rowKey={(x) => x.code}
        empty={t('no_funders')}
      />
    </Panel>
  );
}

function Agreements({ book }: { book: OfficerFunderBook }) {
  const { t, i18n } = useTranslation('fund');
  const f = useFormats();
  const w = useWords();
  const name = useNames(book.funders);
  const columns: Column<SharingAgreement>[] = [
    {
      key: 'name',
      title: t('agreement'),
      cell: (a) => (
        <>
          {a.name[i18n.language] ?? a.code}{' '}
          {a.internet ? <Pill tone="info">{t('internet')}</Pill> : null}
        </>
      ),
    },
    {
      key: 'products',
      title: t('products'),
      cell: (a) => (a.products?.length ? a.products.map(w.product).join(' · ') : t('by_choice')),
    },
    {
      key: 'parties',
      title: t('parties'),
      cell: (a) => (
        <StackedBar
          label={t('parties')}
          parts={a.parties.map((p) => ({
            key: p.funder,
            name: name(p.funder),
            value: p.share_bp,
            text: f.percent(share(p.share_bp)),
          }))}
        />
      ),
    },
    {
      key: 'losses',
      title: t('losses'),
      cell: (a) =>
        [
          a.pool
            ? `${name(a.pool.funder)} ${f.percent(share(a.pool.share_bp))}${
                a.pool.cap_bp ? t('up_to', { share: f.percent1(share(a.pool.cap_bp)) }) : ''
              }`
            : '',
          a.guarantor
            ? `${name(a.guarantor.funder)} ${f.percent(share(a.guarantor.share_bp))}`
            : '',
        ]
          .filter(Boolean)
          .join(' · ') || '—',
    },
    {
      key: 'from',
      title: t('in_force'),
      cell: (a) => (
        <span className="nowrap">
          {f.date(a.from)} – {a.until ? f.date(a.until) : ''}
        </span>
      ),
    },
    { key: 'breach', title: t('on_breach'), cell: (a) => t(`breach.${a.on_breach}`) },
  ];
  return (
    <Panel title={t('agreements')} flush>
      <DataTable
        label={t('agreements')}
        rows={book.agreements}
        columns={columns}
        rowKey={(a) => a.code + a.from}
        empty={t('no_agreements')}
      />
    </Panel>
  );
}
