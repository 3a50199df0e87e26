import type { Cause, Danger, Hit, ShockReport as Report } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Figures, Panel } from '../pieces/Page';
import { firmPath } from './Proofs';
import { namesOf } from './shock';
import './texts';

/** What a shock does: trade lost, firms hit, and loans in danger. */
export function ShockReport(props: { report: Report; raise: ReactNode }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const r = props.report;
  const names = useMemo(() => namesOf(r.hits), [r.hits]);
  const { loans, unknown } = r.endangered;
  return (
    <div className="shock-report">
      <Figures
        items={[
          {
            name: t('shock.part_lost'),
            value: f.percent1(r.part),
            note: t('shock.part_lost_note'),
          },
          { name: t('shock.amount_lost'), value: f.yuanShort(r.amount) },
          {
            name: t('shock.firms_hit'),
            value: f.integer(r.firms),
            note: t('shock.firms_hit_note'),
          },
          { name: t('shock.loans_hit'), value: f.integer(loans.length) },
          { name: t('shock.owed'), value: f.yuanShort(r.endangered.outstanding) },
          { name: t('shock.at_stake'), value: f.yuanShort(r.endangered.hit) },
        ]}
      />
      {r.converged ? null : <p className="fw-problem">{t('shock.not_converged')}</p>}
      <Panel title={t('shock.loans')} className="shock-loans" flush extra={props.raise}>
        <LoanTable rows={loans} names={names} />
        {unknown.length ? (
          <p className="panel-note">{t('shock.unknown', { count: unknown.length })}</p>
        ) : null}
      </Panel>
      <Panel
        title={t('shock.hits')}
        className="shock-hits"
        flush
        extra={
          r.hits.length < r.firms ? (
            <span className="fw-muted">{t('shock.hits_note', { count: r.hits.length })}</span>
          ) : null
        }
      >
        <HitTable rows={r.hits} names={names} />
      </Panel>
      <p className="fw-muted">{t('shock.method', { method: r.method, time: f.time(r.made_at) })}</p>
    </div>
  );
}

function LoanTable(props: { rows: Danger[]; names: Map<string, string> }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const { names } = props;
  const nameOf = (d: Danger) => d.name || names.get(d.firm_id) || d.firm_id;
  const columns: Column<Danger>[] = [
    {
      key: 'loan',
      title: t('shock.loan'),
      cell: (d) => (
        <Link to={`/loans/${encodeURIComponent(d.loan_id)}`}>
          {t('shock.loan')} <code>{d.loan_id.slice(-8)}</code>
        </Link>
      ),
    },
    {
      key: 'firm',
      title: t('shock.firm_hit'),
      sort: nameOf,
      cell: (d) => <Link to={firmPath(d.firm_id)}>{nameOf(d)}</Link>,
    },
    {
      key: 'loss',
      title: t('shock.loss'),
      number: true,
      sort: (d) => d.loss,
      cell: (d) => <Part share={d.loss} />,
    },
    {
      key: 'owed',
      title: t('shock.owed'),
      number: true,
      sort: (d) => d.outstanding,
      cell: (d) => f.yuan(d.outstanding),
    },
    {
      key: 'hit',
      title: t('shock.at_stake'),
      number: true,
      sort: (d) => d.hit,
      cell: (d) => <b>{f.yuan(d.hit)}</b>,
    },
    {
      key: 'cause',
      title: t('shock.cause'),
      cell: (d) => <Why cause={d.cause} names={names} />,
    },
  ];
  return (
    <DataTable
      label={t('shock.loans')}
      rows={props.rows}
      columns={columns}
      rowKey={(d) => d.loan_id}
      page={50}
      empty={t('shock.no_loans')}
    />
  );
}

function HitTable(props: { rows: Hit[]; names: Map<string, string> }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const { names } = props;
  const columns: Column<Hit>[] = [
    {
      key: 'name',
      title: t('shock.firm_hit'),
      sort: (h) => h.name,
      cell: (h) => <Link to={firmPath(h.firm_id)}>{h.name || h.firm_id}</Link>,
    },
    {
      key: 'loss',
      title: t('shock.loss'),
      number: true,
      sort: (h) => h.loss,
      cell: (h) => <Part share={h.loss} />,
    },
    {
      key: 'amount',
      title: t('shock.year_amount'),
      number: true,
      sort: (h) => h.amount,
      cell: (h) => f.yuan0(h.amount),
    },
    {
      key: 'cause',
      title: t('shock.cause'),
      sort: (h) => h.cause.kind,
      cell: (h) => <Why cause={h.cause} names={names} />,
    },
    {
      key: 'path',
      title: t('shock.path'),
      number: false,
      sort: (h) => h.cause.path.length,
      cell: (h) => (
        <ol className="shock-path">
          {h.path_names.map((name, i) => (
            <li key={h.cause.path[i]}>{name}</li>
          ))}
        </ol>
      ),
    },
  ];
  return (
    <DataTable
      label={t('shock.hits')}
      rows={props.rows}
      columns={columns}
      rowKey={(h) => h.firm_id}
      page={50}
      empty={t('shock.no_hits')}
    />
  );
}

/** A part of the whole as a number over a bar. */
function Part(props: { share: number }) {
  const f = useFormats();
  return (
    <span className="loss">
      {f.percent1(props.share)}
      <i aria-hidden="true">
        <i style={{ width: `${100 * props.share}%` }} />
      </i>
    </span>
  );
}

/** The partner that brought most of a loss, and by what. */
function Why(props: { cause: Cause; names: Map<string, string> }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const w = useWords();
  const c = props.cause;
  if (!c.from) return <>{w.word('cause', c.kind)}</>;
  const firm = props.names.get(c.from) ?? c.from;
  return (
    <span className="shock-why">
      <span>{t(`shock.${c.kind}_from`, { firm, defaultValue: w.word('cause', c.kind) })}</span>{' '}
      <small className="fw-muted">
        {c.need ? `${t(`shock.${c.need}`)} · ` : null}
        {c.share
          ? t(c.kind === 'supply' ? 'shock.share_supply' : 'shock.share_demand', {
              share: f.percent1(c.share),
            })
          : null}
      </small>
    </span>
  );
}
