import type { Party } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { Input } from 'antd';
import { useId, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { type Around, type Side, useAround, usePictured, usePlace, useTiers } from '../chain/data';
import { NodeSelect } from '../chain/NodeSelect';
import { firmPath } from '../chain/Proofs';
import { SmeTable } from '../chain/SmeTable';
import { TierPicture } from '../chain/TierPicture';
import { WaysPanel } from '../chain/WaysPanel';
import '../chain/texts';
import { useFirms } from '../data';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';

const TIERS = [1, 2, 3, 4, 5, 6];
const USUAL_TIERS = 3;

const chainPath = (id: string) => `/chain/${encodeURIComponent(id)}`;

/** The anchors whose chains the bank sees, and the ways between any two firms. */
export function ChainsPage() {
  const { t } = useTranslation('chain');
  const list = useFirms('', true);
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Panel title={t('anchors')} flush>
        <Await query={list}>{(rows) => <AnchorTable rows={rows} />}</Await>
      </Panel>
      {list.hasNextPage ? <More list={list} /> : null}
      <WaysPanel />
    </Page>
  );
}

function AnchorTable(props: { rows: Party[] }) {
  const { t } = useTranslation('chain');
  const columns: Column<Party>[] = [
    {
      key: 'name',
      title: t('anchor'),
      sort: (p) => p.name,
      cell: (p) => <Link to={chainPath(p.id)}>{p.name}</Link>,
    },
    {
      key: 'uscc',
      title: t('firms:uscc'),
      cell: (p) => <code>{p.uscc || t('firms:no_uscc')}</code>,
    },
    { key: 'suppliers', title: t('suppliers'), cell: (p) => <Tiers side="suppliers" id={p.id} /> },
    { key: 'dealers', title: t('dealers'), cell: (p) => <Tiers side="dealers" id={p.id} /> },
  ];
  return (
    <DataTable
      label={t('anchors')}
      rows={props.rows}
      columns={columns}
      rowKey={(p) => p.id}
      empty={t('no_anchors')}
    />
  );
}

/** How many firms each tier of one side has, with the way to them. */
function Tiers(props: { side: Side; id: string }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const { data, error } = useTiers(props.side, props.id);
  if (!data) return <span className="fw-muted">{error ? t('none_of') : '…'}</span>;
  if (data.length === 0) return <span className="fw-muted">{t('none_of')}</span>;
  return (
    <Link to={`${chainPath(props.id)}${props.side === 'dealers' ? '?side=dealers' : ''}`}>
      {data.map((firms, i) => (
        <span key={i} className="comma">
          {t('tier_count', { n: i + 1, firms: f.integer(firms) })}
        </span>
      ))}
    </Link>
  );
}

/** The small firms around one anchor, by tier, with their proofs. */
export function ChainPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('chain');
  const place = usePlace(id);
  return (
    <Page
      title={place.data?.name ?? t('anchor')}
      crumbs={[{ to: '/chain', text: t('title') }]}
      lead={t('lead')}
      actions={
        <>
          <Link className="fw-button" to={firmPath(id)}>
            {t('firm_page')}
          </Link>
          <Link className="fw-button" to={`/shock?firm=${encodeURIComponent(id)}`}>
            {t('run_shock')}
          </Link>
        </>
      }
    >
      <Await query={place}>{(p) => <Chain key={id} id={id} name={p.name} />}</Await>
    </Page>
  );
}

function Chain(props: { id: string; name: string }) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const { id, name } = props;
  const [sideParam, setSide] = useParam('side');
  const [hops, setHops] = useParam('tiers');
  const [least, setLeast] = useParam('least');
  const [node, setNode] = useParam('node');
  const field = useId();
  const side: Side = sideParam === 'dealers' ? 'dealers' : 'suppliers';
  const around = useMemo(
    (): Around => ({
      hops: Math.min(6, Math.max(1, Number(hops) || USUAL_TIERS)),
      least: Math.max(0, Math.round((Number(least) || 0) * 100)),
      node,
    }),
    [hops, least, node],
  );
  const list = useAround(side, id, around);
  const pictured = usePictured(side, id, around);
  const anchor = useMemo(() => ({ id, name }), [id, name]);
  const shown = { ...list, data: list.data?.firms };
  return (
    <>
      <div className="filters">
        <Choice
          label={t('side')}
          value={side}
          onChange={(v) => setSide(v === 'dealers' ? v : '')}
          options={[
            { value: 'suppliers', text: t('suppliers') },
            { value: 'dealers', text: t('dealers') },
          ]}
        />
        <Choice
          label={t('tiers')}
          value={String(around.hops)}
          onChange={(v) => setHops(v === String(USUAL_TIERS) ? '' : v)}
          options={TIERS.map((n) => ({ value: String(n), text: t('up_to', { n }) }))}
        />
        <label htmlFor={field} className="least">
          {t('least')}
          <Input
            key={least}
            id={field}
            type="number"
            min={0}
            step={10000}
            defaultValue={least}
            onPressEnter={(e) => setLeast(e.currentTarget.value)}
            onBlur={(e) => setLeast(e.currentTarget.value)}
          />
        </label>
        <NodeSelect value={node} onChange={setNode} />
      </div>
      <Panel title={t('picture')}>
        <Await query={pictured} lines={8}>
          {(firms) => <TierPicture anchor={anchor} firms={firms} side={side} />}
        </Await>
      </Panel>
      <Panel
        title={t(side)}
        className="smes"
        flush
        extra={
          <span className="fw-muted">
            {(list.data?.tiers ?? []).map((firms, i) => (
              <span key={i} className="comma">
                {t('tier_count', { n: i + 1, firms: f.integer(firms) })}
              </span>
            ))}
          </span>
        }
      >
        <Await query={list}>
          {({ firms }) =>
            firms.length ? (
              <SmeTable label={t(side)} rows={firms} />
            ) : (
              <Empty text={t('no_firms')}>
                <p>{t('no_firms_hint')}</p>
              </Empty>
            )
          }
        </Await>
      </Panel>
      <More list={shown} />
      <WaysPanel to={id} />
    </>
  );
}
