import type { AnimalState, Herd } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useWords } from '@furrow/shared/words';
import { Input, Select } from 'antd';
import { memo, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { useParam } from '../pieces/Filter';
import { Panel } from '../pieces/Page';
import { colorOf } from './look';
import {
  among,
  type HerdStates,
  type Narrow,
  rankOf,
  statuses,
  tally,
  useStates,
  worst,
} from './states';

/** Nobody reads faster than this. */
const EVERY_MS = 1000;
const ROWS = 50;

/** The page of an animal. */
export const animalPath = (herdId: string, animalId: string) =>
  `/herds/${encodeURIComponent(herdId)}/animals/${encodeURIComponent(animalId)}`;

/** The animals as a table, the most worrying first. */
export const AnimalTable = memo(function AnimalTable(props: {
  herd: Herd;
  store: HerdStates;
  only: Narrow;
  marked: string | undefined;
  onMark(id: string | undefined): void;
}) {
  const { t } = useTranslation('herds');
  const { herd, store, only } = props;
  const states = useStates(store, EVERY_MS);
  const rows = useMemo(() => worst(states.filter((s) => among(s, only))), [states, only]);
  const columns = useColumns(herd);
  return (
    <Panel title={t('animals')} flush>
      <Narrowing herd={herd} states={states} />
      <DataTable
        label={t('animals')}
        rows={rows}
        columns={columns}
        rowKey={(s) => s.animal_id}
        page={ROWS}
        marked={props.marked}
        onHover={props.onMark}
        empty={t(states.length ? 'none_among' : 'no_animals')}
      />
    </Panel>
  );
});

function Narrowing(props: { herd: Herd; states: AnimalState[] }) {
  const { t } = useTranslation('herds');
  const w = useWords();
  const [find, setFind] = useParam('find');
  const [status, setStatus] = useParam('status');
  const [sign, setSign] = useParam('sign');
  const [pen, setPen] = useParam('pen');
  const counts = useMemo(() => tally(props.states), [props.states]);
  const one = (value: string, text: string, count?: number) => ({
    value,
    label: count === undefined ? text : `${text} ${count}`,
  });
  const pens = props.herd.pens ?? [];
  const signs = Object.keys(counts.signs).sort();
  return (
    <div className="panel-tools fw-row herd-tools">
      <span className="herd-find">
        <Input
          allowClear
          size="small"
          defaultValue={find} // its own while somebody types: the address follows a moment later
          onChange={(e) => setFind(e.target.value)}
          aria-label={t('find')}
          placeholder={t('find')}
          maxLength={80}
        />
      </span>
      <Select
        size="small"
        aria-label={t('status')}
        value={status}
        onChange={setStatus}
        popupMatchSelectWidth={false}
        options={[
          one('', t('any_status')),
          ...statuses
            .filter((s) => counts.statuses[s])
            .map((s) => one(s, w.word('animal', s), counts.statuses[s])),
        ]}
      />
      {signs.length || sign ? (
        <Select
          size="small"
          aria-label={t('signs')}
          value={sign}
          onChange={setSign}
          popupMatchSelectWidth={false}
          options={[
            one('', t('any_sign')),
            ...signs.map((s) => one(s, w.word('alert', s), counts.signs[s])),
          ]}
        />
      ) : null}
      {pens.length ? (
        <Select
          size="small"
          aria-label={t('pen')}
          value={pen}
          onChange={setPen}
          popupMatchSelectWidth={false}
          options={[one('', t('any_pen')), ...pens.map((p) => one(p.id, p.name))]}
        />
      ) : null}
    </div>
  );
}

function useColumns(herd: Herd): Column<AnimalState>[] {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const w = useWords();
  return useMemo(() => {
    const pens = new Map((herd.pens ?? []).map((p) => [p.id, p.name]));
    const columns: Column<AnimalState>[] = [
      {
        key: 'code',
        title: t('code'),
        sort: (s) => s.code,
        cell: (s) => (
          <Link to={animalPath(herd.id, s.animal_id)}>
            <code>{s.code}</code>
          </Link>
        ),
      },
      {
        key: 'status',
        title: t('status'),
        sort: (s) => rankOf(s.status),
        cell: (s) => (
          <span className="dot-name">
            <i style={{ background: colorOf(s.status) }} aria-hidden="true" />
            {w.word('animal', s.status)}
          </span>
        ),
      },
      {
        key: 'why',
        title: t('why'),
        cell: (s) =>
          [s.reason ? w.why(s.reason) : '', ...(s.signs ?? []).map((x) => w.word('alert', x))]
            .filter((x, i, all) => x && all.indexOf(x) === i)
            .join(' · '),
      },
      { key: 'tag', title: t('tag'), sort: (s) => s.tag_id, cell: (s) => <code>{s.tag_id}</code> },
      {
        key: 'heard',
        title: t('heard'),
        sort: (s) => s.last_heard ?? '',
        cell: (s) => (
          <span className="nowrap">{s.last_heard ? f.ago(s.last_heard) : t('never')}</span>
        ),
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
    ];
    if (pens.size)
      columns.splice(3, 0, {
        key: 'pen',
        title: t('pen'),
        sort: (s) => pens.get(s.pen_id ?? '') ?? '',
        cell: (s) => pens.get(s.pen_id ?? '') ?? f.date(undefined),
      });
    return columns;
  }, [herd, t, f, w]);
}
