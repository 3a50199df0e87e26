import type { AnimalState, OfficerHerdPage } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useHerdPositions, useLive } from '@furrow/shared/live';
import { boundsOf, type Dot, grown } from '@furrow/shared/map/geometry';
import { MapView } from '@furrow/shared/map/MapView';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { useHerd } from '../data';
import { AlertList } from '../pieces/AlertList';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice } from '../pieces/Filter';
import { Facts, Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { useImagery } from '../pieces/useImagery';

const order = ['outside', 'unverified', 'silent', 'never_entered', 'no_data', 'inside'];

const colors: Record<string, string> = {
  inside: '#2f7d43',
  outside: '#c0391f',
  unverified: '#c98a12',
  silent: '#6d7278',
  never_entered: '#2f5f87',
  no_data: '#a9a69a',
};

const FLUSH_MS = 200;

/** A herd as its tags tell it, moving while it is watched. */
export function HerdPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('herds');
  const w = useWords();
  const query = useHerd(id);
  usePositions(id);
  const herd = query.data?.herd;
  return (
    <Page
      title={herd?.name ?? t('one')}
      crumbs={[{ to: '/herds', text: t('title') }]}
      lead={
        query.data ? (
          <>
            <Pill tone={toneOf(query.data.report.status)}>
              {w.word('status', query.data.report.status)}
            </Pill>
            <span>{query.data.herd.owner_name}</span>
            <span>{w.word('species', query.data.herd.species)}</span>
            {query.data.report.reason ? <span>{w.why(query.data.report.reason)}</span> : null}
          </>
        ) : null
      }
    >
      <Await query={query} lines={10}>
        {(d) => <Body detail={d} key={d.herd.id} />}
      </Await>
    </Page>
  );
}

/** Takes live positions into the herd's data, some times a second at the most. */
function usePositions(herdId: string) {
  const client = useQueryClient();
  const moved = useRef(new Map<string, AnimalState>());
  const timer = useRef<number>(undefined);
  useHerdPositions(herdId);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  useLive((message) => {
    if (message.type !== 'positions' || message.herd_id !== herdId) return;
    for (const state of message.states) moved.current.set(state.animal_id, state);
    timer.current ??= window.setTimeout(() => {
      timer.current = undefined;
      const news = moved.current;
      moved.current = new Map();
      client.setQueryData<OfficerHerdPage>(['herd', herdId], (old) =>
        old ? { ...old, states: (old.states ?? []).map((s) => news.get(s.animal_id) ?? s) } : old,
      );
    }, FLUSH_MS);
  });
}

function Body(props: { detail: OfficerHerdPage }) {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const w = useWords();
  const [only, setOnly] = useState('');
  const [marked, setMarked] = useState<string>();
  const { herd, report, states, alerts, devices } = props.detail;
  const all = states ?? [];

  const fence = useMemo(
    () => [{ id: herd.id, polygon: herd.fence, color: '#7a5c2e', fill: 0.1 }],
    [herd],
  );
  // Where everybody was at first: the map must not jump with every step of an animal.
  const [bounds] = useState(() => {
    const out = all.flatMap((s) =>
      s.status === 'outside' && s.lon !== undefined && s.lat !== undefined ? [[s.lon, s.lat]] : [],
    );
    const box = boundsOf([...(herd.fence[0] ?? []), ...out]);
    return box && grown(box, 0.12);
  });
  const { picture } = useImagery();
  const dots = useMemo(
    () =>
      all.flatMap((s): Dot[] =>
        s.lon === undefined || s.lat === undefined || (only && s.status !== only)
          ? []
          : [{ id: s.animal_id, at: [s.lon, s.lat], color: colors[s.status] ?? '#a9a69a' }],
      ),
    [all, only],
  );
  const counts = useMemo(() => {
    const n: Record<string, number> = {};
    for (const s of all) n[s.status] = (n[s.status] ?? 0) + 1;
    return n;
  }, [all]);
  const rows = useMemo(
    () =>
      all
        .filter((s) => !only || s.status === only)
        .sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status)),
    [all, only],
  );
  const columns: Column<AnimalState>[] = [
    {
      key: 'status',
      title: t('status'),
      sort: (s) => order.indexOf(s.status),
      cell: (s) => (
        <span className="dot-name">
          <i style={{ background: colors[s.status] }} aria-hidden="true" />
          {w.word('animal', s.status)}
        </span>
      ),
    },
    { key: 'code', title: t('code'), sort: (s) => s.code, cell: (s) => <code>{s.code}</code> },
    { key: 'tag', title: t('tag'), sort: (s) => s.tag_id, cell: (s) => <code>{s.tag_id}</code> },
    {
      key: 'heard',
      title: t('heard'),
      sort: (s) => s.last_heard ?? '',
      cell: (s) => <span className="nowrap">{f.ago(s.last_heard)}</span>,
    },
    {
      key: 'temp',
      title: t('temp'),
      number: true,
      sort: (s) => s.temp_c ?? -99,
      cell: (s) => f.decimal(s.temp_c, 1),
    },
    {
      key: 'activity',
      title: t('activity'),
      number: true,
      sort: (s) => s.activity ?? -1,
      cell: (s) => f.decimal(s.activity),
    },
    {
      key: 'battery',
      title: t('battery'),
      number: true,
      sort: (s) => s.battery_v ?? -1,
      cell: (s) => f.decimal(s.battery_v),
    },
    { key: 'why', title: t('why'), cell: (s) => (s.reason ? w.why(s.reason) : '') },
  ];

  return (
    <>
      <Figures
        items={[
          {
            name: t('n.verified'),
            value: f.integer(report.verified),
            note: t('of_registered', { count: report.registered }),
          },
          { name: t('n.outside'), value: f.integer(report.outside) },
          { name: t('n.unverified'), value: f.integer(report.unverified) },
          { name: t('n.silent'), value: f.integer(report.silent + report.no_data) },
          {
            name: t('value'),
            value: f.yuanShort(report.value),
            note: `${f.yuanShort(report.value_low)} – ${f.yuanShort(report.value_high)}`,
          },
        ]}
      />
      <div className="split">
        <Panel title={t('positions')} flush>
          <MapView
            className="map-tall"
            label={t('map_label', { name: herd.name, count: dots.length })}
            areas={fence}
            dots={dots}
            bounds={bounds}
            imagery={picture}
            marked={marked}
            onHover={setMarked}
          />
          <ul className="fw-legend map-legend">
            {order
              .filter((s) => counts[s])
              .map((s) => (
                <li key={s}>
                  <i className="round" style={{ background: colors[s] }} /> {w.word('animal', s)}{' '}
                  <b>{counts[s]}</b>
                </li>
              ))}
          </ul>
        </Panel>
        <div>
          <Panel title={t('alerts')} flush>
            <AlertList alerts={(alerts ?? []).slice(0, 30)} empty={t('no_alerts')} />
          </Panel>
          <Panel title={t('basis')}>
            <Facts
              rows={[
                [t('heard'), f.ago(report.last_heard)],
                [t('made'), f.time(report.made_at)],
                [t('method'), report.method],
                ...(report.terms ?? []).map((v): [string, string] => [
                  t('reckoning'),
                  t('reckoned', {
                    heads: v.heads,
                    kg: f.integer(v.kg),
                    price: f.yuan(v.price_fen_per_kg),
                    date: f.date(v.price_date),
                    mortality: f.percent1(v.mortality_bp / 1e4),
                    haircut: f.percent1(v.haircut_bp / 1e4),
                  }),
                ]),
                [
                  t('gateways'),
                  (devices ?? [])
                    .filter((d) => d.kind === 'gateway')
                    .map((d) => d.id)
                    .join(', ') || t('no_gateway'),
                ],
              ]}
            />
          </Panel>
        </div>
      </div>
      <Panel title={t('animals')} flush>
        <div className="panel-tools">
          <Choice
            label={t('status')}
            value={only}
            onChange={setOnly}
            options={[
              { value: '', text: t('any'), count: all.length },
              ...order
                .filter((s) => counts[s])
                .map((s) => ({ value: s, text: w.word('animal', s), count: counts[s] })),
            ]}
          />
        </div>
        <DataTable
          label={t('animals')}
          rows={rows}
          columns={columns}
          rowKey={(s) => s.animal_id}
          marked={marked}
          onHover={setMarked}
        />
      </Panel>
    </>
  );
}
