import type { Asset, Picture, PoolEvent } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Figures, Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { ActDialog } from './ActDialog';
import { CoverChart } from './CoverChart';
import { ACTS, type Act, useCollateral, usePast } from './data';
import { Proposals } from './Proposals';

/** All that stands behind the loans of an application, and what may be done with it. */
export function CollateralPage() {
  const { id = '' } = useParams();
  const picture = useCollateral(id);
  return <Await query={picture}>{(p) => <One picture={p} />}</Await>;
}

function One({ picture }: { picture: Picture }) {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const w = useWords();
  const may = useMay();
  const [act, setAct] = useState<Act>();
  const { pool, cover } = picture;
  const percent = (bp: number) => f.percent1(bp / 10_000);
  const waiting = picture.proposals.filter((p) => p.state === 'open');
  return (
    <Page
      title={t('of', { name: pool.user_name })}
      crumbs={[{ to: '/collateral', text: t('title') }]}
      lead={
        <>
          <span>{w.product(pool.product)}</span>
          <Link to={`/applications/${encodeURIComponent(pool.application_id)}`}>
            {t('application')}
          </Link>
          {pool.closed ? <Pill tone="calm">{t('ended')}</Pill> : null}
        </>
      }
      actions={
        may && !pool.closed
          ? ACTS.map((a) => (
              <Button key={a} onClick={() => setAct(a)}>
                {t(`act.${a}`)}
              </Button>
            ))
          : null
      }
    >
      {pool.call ? (
        <div className="book-verdict" role="status">
          <strong>{t('called_until', { day: f.date(pool.call.due) })}</strong>
          <span>
            {t('cure_by', { repay: f.yuan(pool.call.repay), add: f.yuan(pool.call.add) })}
          </span>
        </div>
      ) : null}
      <Figures
        items={[
          {
            name: t('value'),
            value: f.yuan(cover.value),
            note: t('held_assets', { count: cover.assets }),
          },
          { name: t('advance'), value: f.yuan(cover.advance) },
          { name: t('owed'), value: f.yuan(cover.owed) },
          {
            name: t('cover'),
            value: cover.cover_bp === undefined ? '—' : percent(cover.cover_bp),
            note: pool.terms.call_bp
              ? t('call_at', { share: percent(pool.terms.call_bp) })
              : t('no_call'),
          },
        ]}
      />
      {waiting.length ? (
        <Panel title={t('proposals')}>
          <Proposals rows={waiting} />
        </Panel>
      ) : null}
      <Panel title={t('history_of_cover')}>
        <CoverChart days={picture.days} terms={pool.terms} />
      </Panel>
      <Panel
        title={t('items')}
        flush
        extra={
          <a
            className="fw-button"
            href={`/api/v1/officer/applications/${encodeURIComponent(pool.application_id)}/collateral.csv`}
            download
          >
            {t('csv')}
          </a>
        }
      >
        <Items picture={picture} />
      </Panel>
      <Past picture={picture} />
      {act ? <ActDialog act={act} picture={picture} onClose={() => setAct(undefined)} /> : null}
    </Page>
  );
}

function Items({ picture }: { picture: Picture }) {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const free = new Set(picture.releasable);
  const columns: Column<Asset>[] = [
    {
      key: 'label',
      title: t('item'),
      cell: (a) => (
        <>
          {a.label} <small className="fw-muted">{t(`kind.${a.kind}`)}</small>
        </>
      ),
    },
    {
      key: 'status',
      title: t('state'),
      cell: (a) => (
        <>
          <Pill tone={a.status === 'held' ? 'good' : a.status === 'lost' ? 'bad' : 'calm'}>
            {t(`status.${a.status}`)}
          </Pill>{' '}
          {free.has(a.id) ? <Pill tone="info">{t('may_leave')}</Pill> : null}
        </>
      ),
    },
    {
      key: 'low',
      title: t('low'),
      number: true,
      sort: (a) => a.value.low,
      cell: (a) =>
        a.value.known ? (
          f.yuan(a.value.low)
        ) : (
          <span className="fw-muted">
            {t(`reason.${a.value.reason}`, { defaultValue: a.value.reason || t('unknown') })}
          </span>
        ),
    },
    {
      key: 'middle',
      title: t('middle'),
      number: true,
      cell: (a) => (a.value.known ? f.yuan(a.value.middle) : ''),
    },
    {
      key: 'rate',
      title: t('rate'),
      number: true,
      cell: (a) => f.percent(a.advance_bp / 10_000),
    },
    { key: 'rank', title: t('rank'), number: true, cell: (a) => a.rank },
    { key: 'on', title: t('valued_on'), cell: (a) => f.date(a.value.on) },
    {
      key: 'source',
      title: t('source'),
      cell: (a) => t(`method.${a.value.source}`, { defaultValue: a.value.source }),
    },
  ];
  return (
    <DataTable
      label={t('items')}
      rows={picture.pool.assets}
      columns={columns}
      rowKey={(a) => a.id}
      page={50}
      empty={t('no_items')}
    />
  );
}

function Past({ picture }: { picture: Picture }) {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const events = usePast(picture.pool.application_id);
  const what = (e: PoolEvent) =>
    [
      e.took?.length ? t('in', { count: e.took.length }) : '',
      e.ends?.length ? t('out', { count: e.ends.length }) : '',
      e.values?.length ? t('valued', { count: e.values.length }) : '',
      e.delta ? `${e.delta > 0 ? '+' : '−'}${f.yuan(Math.abs(e.delta))}` : '',
      e.proceeds ? f.yuan(e.proceeds.gross) : '',
      e.filing?.number,
      e.note,
    ]
      .filter(Boolean)
      .join(' · ');
  return (
    <Panel title={t('history')}>
      <Await query={events} lines={3}>
        {(list) => (
          <ol className="receivable-past">
            {list.map((e) => (
              <li key={e.seq}>
                <span className="fw-muted fw-num">{f.time(e.at)}</span>
                <span>
                  <b>{t(`event.${e.kind}`, { defaultValue: e.kind })}</b> {what(e)}
                  <br />
                  <small className="fw-muted">
                    {[e.user_name || t('house'), e.second_id ? t('by_two') : '']
                      .filter(Boolean)
                      .join(' · ')}{' '}
                    · <code title={e.hash}>{e.hash.slice(0, 12)}</code>
                  </small>
                </span>
              </li>
            ))}
          </ol>
        )}
      </Await>
    </Panel>
  );
}
