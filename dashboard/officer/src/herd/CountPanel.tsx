import type {
  Headcount,
  Herd,
  HerdCount,
  OfficerHerdPage,
  PenCount,
} from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Scroll } from '@furrow/shared/ui/Scroll';
import { Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button } from 'antd';
import { type FormEvent, memo, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAddCount } from '../data';
import { Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { IntervalBar, scaleOf } from './IntervalBar';
import { fromField, toField } from './when';

const LATEST = 8;
const kinds = ['camera', 'gate', 'person'];

/** What tags, cameras, gates and people say of how many there are, and what that supports. */
export const CountPanel = memo(function CountPanel(props: { detail: OfficerHerdPage }) {
  const { t } = useTranslation('herds');
  const w = useWords();
  const may = useMay();
  const [adding, setAdding] = useState(false);
  const { herd, report } = props.detail;
  const pens = props.detail.pens ?? [];
  const counts = props.detail.counts ?? [];
  return (
    <Panel
      title={t('counts')}
      className="counts"
      flush
      extra={
        may && !adding ? (
          <Button size="small" onClick={() => setAdding(true)}>
            {t('count_add')}
          </Button>
        ) : null
      }
    >
      {adding ? <CountForm herd={herd} onDone={() => setAdding(false)} /> : null}
      <p className="counts-lead">
        <Pill tone={toneOf(report.count.status)}>{w.word('status', report.count.status)}</Pill>{' '}
        {report.count.reason
          ? t(`count_why.${report.count.reason}`)
          : report.tagged > report.count.high
            ? t('count_short', { high: report.count.high, tagged: report.tagged })
            : t('count_fits')}
      </p>
      {pens.length ? <PenTable herd={herd} total={report.count} pens={pens} /> : null}
      {pens.some((p) => p.devices?.length) ? <Counters herd={herd} pens={pens} /> : null}
      {counts.length ? <Latest herd={herd} counts={counts} /> : null}
    </Panel>
  );
});

/** Tags heard against what was seen, and the interval that both support. */
function PenTable(props: { herd: Herd; total: HerdCount; pens: PenCount[] }) {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const penName = usePenName(props.herd);
  const rows = props.pens.map((p) => ({ key: p.pen_id || 'herd', name: penName(p.pen_id), of: p }));
  const sum = { ...props.total, pen_id: '', devices: [] };
  const all = rows.length > 1 ? [...rows, { key: 'sum', name: t('together'), of: sum }] : rows;
  const scale = scaleOf(rows.map((r) => r.of));
  const seen = (of: PenCount, kind: string) => {
    const [first] = (of.devices ?? [])
      .filter((d) => d.kind === kind)
      .sort((a, b) => b.windows - a.windows);
    return first ? f.integer(first.seen) : f.integer(undefined);
  };
  return (
    <Scroll label={t('counts_by_pen')} className="table-box">
      <table className="fw-table table">
        <caption className="sr-only">{t('counts_by_pen')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('pen')}</th>
            <th scope="col" className="fw-num">
              {t('tags_heard')}
            </th>
            {kinds.map((k) => (
              <th key={k} scope="col" className="fw-num">
                {t(`by.${k}`)}
              </th>
            ))}
            <th scope="col" className="fw-num">
              {t('estimate')}
            </th>
            <th scope="col">{t('interval')}</th>
          </tr>
        </thead>
        <tbody>
          {all.map((r) => (
            <tr key={r.key} className={r.key === 'sum' ? 'sum' : undefined}>
              <td>{r.name}</td>
              <td className="fw-num">{f.integer(r.of.tags)}</td>
              {kinds.map((k) => (
                <td key={k} className="fw-num">
                  {r.key === 'sum' ? '' : seen(r.of, k)}
                </td>
              ))}
              <td className="fw-num">
                {r.of.status === 'unknown' ? f.integer(undefined) : f.integer(r.of.estimate)}{' '}
                <small className="fw-muted">
                  {r.of.status === 'unknown'
                    ? ''
                    : `${f.integer(r.of.low)}–${f.integer(r.of.high)}`}
                </small>
              </td>
              <td>{r.key === 'sum' ? null : <IntervalBar of={r.of} scale={scale} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** What is believed of each counter. */
function Counters(props: { herd: Herd; pens: PenCount[] }) {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const penName = usePenName(props.herd);
  return (
    <ul className="counters">
      {props.pens.flatMap((p) =>
        (p.devices ?? []).map((d) => (
          <li key={`${p.pen_id}/${d.device}`}>
            <b>{d.kind === 'person' ? t('by.person') : d.device}</b>{' '}
            <span className="kind">{t(`by.${d.kind}`)}</span> {penName(p.pen_id)}
            <span className="fw-muted">
              {t('counter', { recall: f.percent(d.recall), windows: d.windows })}
            </span>
            {d.lies > 0.5 ? <Pill tone="bad">{t('counter_lies')}</Pill> : null}
          </li>
        )),
      )}
    </ul>
  );
}

function Latest(props: { herd: Herd; counts: Headcount[] }) {
  const { t } = useTranslation('herds');
  const f = useFormats();
  const [all, setAll] = useState(false);
  const penName = usePenName(props.herd);
  const shown = all ? props.counts : props.counts.slice(0, LATEST);
  return (
    <>
      <Scroll label={t('counts_latest')} className="table-box">
        <table className="fw-table table">
          <caption className="counts-caption">{t('counts_latest')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('when')}</th>
              <th scope="col">{t('counter_name')}</th>
              <th scope="col">{t('pen')}</th>
              <th scope="col" className="fw-num">
                {t('seen')}
              </th>
              <th scope="col">{t('picture')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((c) => (
              <tr key={c.id}>
                <td className="nowrap">{f.time(c.to)}</td>
                <td>{c.kind === 'person' ? t('by.person') : c.device}</td>
                <td>{penName(c.pen_id)}</td>
                <td className="fw-num">
                  {f.integer(c.seen)}
                  {c.out ? <small className="fw-muted"> {t('out', { n: c.out })}</small> : null}
                  {c.matched !== undefined ? (
                    <small className="fw-muted"> {t('matched', { n: c.matched })}</small>
                  ) : null}
                </td>
                <td>{c.picture ? <code title={c.picture}>{c.picture.slice(0, 8)}</code> : ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {props.counts.length > LATEST ? (
        <p className="panel-foot">
          <button
            type="button"
            className="plain-button"
            aria-expanded={all}
            onClick={() => setAll(!all)}
          >
            {t(all ? 'fewer' : 'all_counts', { count: props.counts.length })}
          </button>
        </p>
      ) : null}
    </>
  );
}

/** Takes a count that the officer made on the spot. */
function CountForm(props: { herd: Herd; onDone(): void }) {
  const { t } = useTranslation('herds');
  const add = useAddCount(props.herd.id);
  const [seen, setSeen] = useState('');
  const [pen, setPen] = useState('');
  const [at, setAt] = useState(() => toField(Date.now()));
  const id = useId();
  const pens = props.herd.pens ?? [];
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate(
      { at: fromField(at), seen: Number(seen), ...(pen ? { pen_id: pen } : {}) },
      { onSuccess: props.onDone },
    );
  };
  return (
    <form className="small-form" onSubmit={submit}>
      {pens.length ? (
        <p>
          <label htmlFor={`${id}pen`}>{t('pen')}</label>
          <select id={`${id}pen`} value={pen} onChange={(e) => setPen(e.target.value)}>
            <option value="">{t('whole_herd')}</option>
            {pens.map((p) => (
              <option key={p.id} value={p.id}>
                {p.name}
              </option>
            ))}
          </select>
        </p>
      ) : null}
      <p>
        <label htmlFor={`${id}seen`}>{t('heads_seen')}</label>
        <input
          id={`${id}seen`}
          type="number"
          min={0}
          max={100_000}
          step={1}
          required
          value={seen}
          onChange={(e) => setSeen(e.target.value)}
        />
      </p>
      <p>
        <label htmlFor={`${id}at`}>{t('counted_at')}</label>
        <input
          id={`${id}at`}
          type="datetime-local"
          required
          value={at}
          onChange={(e) => setAt(e.target.value)}
        />
      </p>
      <p className="fw-row">
        <Button htmlType="submit" type="primary" size="small" loading={add.isPending}>
          {t('save')}
        </Button>
        <Button size="small" onClick={props.onDone}>
          {t('cancel')}
        </Button>
      </p>
      {add.error ? <Problem error={add.error} compact /> : null}
    </form>
  );
}

/** The name of a pen of a herd; the whole herd when none is said. */
function usePenName(herd: Herd) {
  const { t } = useTranslation('herds');
  return (id: string | undefined) =>
    id ? (herd.pens?.find((p) => p.id === id)?.name ?? id) : t('whole_herd');
}
