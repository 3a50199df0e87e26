import type { Document, Finding, OfficerFirmPage, Link as Trade } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { ConfidencePanel } from '../chain/ConfidencePanel';
import { FigureTable } from '../chain/FigureTable';
import { FlowBars } from '../chain/FlowBars';
import { PlacePanel } from '../chain/PlacePanel';
import { SeriesChart } from '../chain/SeriesChart';
import { useFirm } from '../data';
import { AlertList } from '../pieces/AlertList';
import { type Column, DataTable } from '../pieces/DataTable';
import { EvidenceList } from '../pieces/EvidenceList';
import { Neighbours } from '../pieces/Neighbours';
import { Facts, Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';

/** A firm as its trade tells it. */
export function FirmPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('firms');
  const w = useWords();
  const query = useFirm(id);
  const firm = query.data?.firm;
  return (
    <Page
      title={firm?.name ?? t('one')}
      crumbs={[{ to: '/firms', text: t('title') }]}
      lead={
        query.data ? (
          <>
            {query.data.firm.anchor ? <Pill tone="info">{t('anchor')}</Pill> : null}
            <Pill tone={toneOf(query.data.standing.status)}>
              {w.word('status', query.data.standing.status)}
            </Pill>
            <code>{query.data.firm.uscc || t('no_uscc')}</code>
            {query.data.firm.industry ? <span>{query.data.firm.industry}</span> : null}
            {query.data.standing.reason ? <span>{w.why(query.data.standing.reason)}</span> : null}
          </>
        ) : null
      }
      actions={
        firm ? (
          <>
            {firm.anchor ? (
              <Link className="fw-button" to={`/chain/${encodeURIComponent(firm.id)}`}>
                {t('its_chain')}
              </Link>
            ) : null}
            <Link className="fw-button" to={`/shock?firm=${encodeURIComponent(firm.id)}`}>
              {t('shock')}
            </Link>
          </>
        ) : null
      }
    >
      <Await query={query} lines={10}>
        {(d) => <Body detail={d} key={d.firm.id} />}
      </Await>
    </Page>
  );
}

function Body(props: { detail: OfficerFirmPage }) {
  const { t } = useTranslation('firms');
  const f = useFormats();
  const { firm, standing, neighbourhood, documents, alerts } = props.detail;
  const names = new Map((neighbourhood.nodes ?? []).map((n) => [n.id, n.name]));
  const links = neighbourhood.links ?? [];
  return (
    <>
      <Figures
        items={[
          {
            name: t('invoiced'),
            value: f.yuanShort(standing.invoiced_12m),
            note: t('invoiced_note'),
          },
          { name: t('proven'), value: f.percent(standing.proven), note: t('proven_note') },
          { name: t('counterparties'), value: f.integer(standing.counterparties) },
          { name: t('findings'), value: f.integer(standing.findings?.length ?? 0) },
          { name: t('confidence'), value: f.percent(standing.confidence) },
        ]}
      />
      <div className="split">
        <div>
          <Panel title={t('chain:series')}>
            <SeriesChart series={standing.series} />
          </Panel>
          <Panel title={t('chain:figures')} flush>
            <FigureTable figures={standing.figures} />
          </Panel>
          <Panel title={t('neighbours')}>
            <Neighbours center={firm.id} nodes={neighbourhood.nodes ?? []} links={links} />
          </Panel>
          <Panel title={t('trade')} flush>
            <TradeTable rows={links} />
          </Panel>
          <Panel title={t('documents')} flush>
            <DocumentTable rows={documents ?? []} names={names} />
          </Panel>
        </div>
        <div>
          <Panel title={t('findings')} flush>
            <Findings rows={standing.findings ?? []} names={names} />
          </Panel>
          <ConfidencePanel standing={standing} />
          <Panel title={t('chain:flows')}>
            <FlowBars flows={standing.flows} />
          </Panel>
          <Panel title={t('anchors_of')}>
            {standing.anchors?.length ? (
              <Facts
                rows={standing.anchors.map((a) => [
                  a.name,
                  `${f.percent(a.share)} · ${t('tier', { n: a.tier })} · ${t('months', { count: a.months })}`,
                ])}
              />
            ) : (
              <Empty text={t('no_anchor')} />
            )}
          </Panel>
          <PlacePanel firmId={firm.id} />
          <Panel title={t('alerts')} flush>
            <AlertList alerts={alerts ?? []} empty={t('no_alerts')} />
          </Panel>
        </div>
      </div>
    </>
  );
}

function TradeTable(props: { rows: Trade[] }) {
  const { t } = useTranslation('firms');
  const f = useFormats();
  const columns: Column<Trade>[] = [
    {
      key: 'seller',
      title: t('seller'),
      sort: (l) => l.seller,
      cell: (l) => <Link to={`/firms/${encodeURIComponent(l.seller_id)}`}>{l.seller}</Link>,
    },
    {
      key: 'buyer',
      title: t('buyer'),
      sort: (l) => l.buyer,
      cell: (l) => <Link to={`/firms/${encodeURIComponent(l.buyer_id)}`}>{l.buyer}</Link>,
    },
    {
      key: 'invoiced',
      title: t('amount_invoiced'),
      number: true,
      sort: (l) => l.invoiced,
      cell: (l) => f.yuan0(l.invoiced),
    },
    {
      key: 'paid',
      title: t('amount_paid'),
      number: true,
      sort: (l) => l.paid,
      cell: (l) => f.yuan0(l.paid),
    },
    {
      key: 'last',
      title: t('last'),
      sort: (l) => l.last_date,
      cell: (l) => f.date(l.last_date),
    },
  ];
  return (
    <DataTable
      label={t('trade')}
      rows={props.rows}
      columns={columns}
      rowKey={(l) => `${l.seller_id}>${l.buyer_id}`}
      page={15}
      empty={t('no_trade')}
    />
  );
}

function DocumentTable(props: { rows: Document[]; names: Map<string, string> }) {
  const { t } = useTranslation('firms');
  const f = useFormats();
  const w = useWords();
  const name = (id: string) => (
    <Link to={`/firms/${encodeURIComponent(id)}`}>{props.names.get(id) ?? id}</Link>
  );
  const columns: Column<Document>[] = [
    { key: 'date', title: t('date'), sort: (d) => d.date, cell: (d) => f.date(d.date) },
    {
      key: 'kind',
      title: t('doc_kind'),
      sort: (d) => d.kind,
      cell: (d) => w.word('document', d.kind),
    },
    { key: 'number', title: t('number'), cell: (d) => <code>{d.number}</code> },
    { key: 'seller', title: t('seller'), cell: (d) => name(d.seller_id) },
    { key: 'buyer', title: t('buyer'), cell: (d) => name(d.buyer_id) },
    {
      key: 'amount',
      title: t('amount'),
      number: true,
      sort: (d) => d.amount,
      cell: (d) => f.yuan(d.amount),
    },
  ];
  return (
    <DataTable
      label={t('documents')}
      rows={props.rows}
      columns={columns}
      rowKey={(d) => d.id}
      page={15}
      empty={t('no_documents')}
    />
  );
}

function Findings(props: { rows: Finding[]; names: Map<string, string> }) {
  const { t } = useTranslation('firms');
  const f = useFormats();
  const w = useWords();
  if (props.rows.length === 0) return <Empty text={t('no_findings')} />;
  return (
    <ul className="findings">
      {props.rows.map((x, i) => (
        <li key={`${x.kind}${i}`}>
          <p>
            <Pill tone={toneOf(x.severity)}>{w.word('severity', x.severity)}</Pill>{' '}
            <b>{w.word('finding', x.kind)}</b>
          </p>
          <p>
            {(x.firm_ids ?? []).map((id) => (
              <Link key={id} to={`/firms/${encodeURIComponent(id)}`} className="comma">
                {props.names.get(id) ?? id}
              </Link>
            ))}
          </p>
          <EvidenceList of={x.evidence} />
          {x.documents?.length ? (
            <details>
              <summary>{t('shown_by', { count: x.documents.length })}</summary>
              <ul>
                {x.documents.map((d) => (
                  <li key={d.id}>
                    {f.date(d.date)} {w.word('document', d.kind)} <code>{d.number}</code>{' '}
                    {f.yuan(d.amount)}
                  </li>
                ))}
              </ul>
            </details>
          ) : null}
        </li>
      ))}
    </ul>
  );
}
