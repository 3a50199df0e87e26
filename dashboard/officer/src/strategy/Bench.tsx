import type { Application, Decision, OfficerTried, Reason } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button, Select } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useApplications } from '../data';
import { Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { useTry } from './data';

/** Has the text, as it stands in the editor, decide about an application's frozen evidence. */
export function Bench(props: {
  source: string;
  subject: string | undefined;
  onError(error: unknown): void;
}) {
  const { t } = useTranslation('strategy');
  const w = useWords();
  const id = useId();
  const list = useApplications('');
  const [chosen, setChosen] = useState<string>();
  const run = useTry();
  const { data, variables } = run;
  const fits = (a: Application) =>
    a.decision_id && (!props.subject || a.subject.kind === props.subject);
  const found = (list.data ?? []).filter(fits);
  const start = () => {
    const application_id = chosen ?? found[0]?.id;
    if (application_id)
      run.mutate({ source: props.source, application_id }, { onError: props.onError });
  };
  return (
    <Panel title={t('bench')} className="bench">
      <p className="fw-muted">{t('bench_lead')}</p>
      <label htmlFor={id}>{t('application')}</label>
      <Select
        id={id}
        className="bench-select"
        showSearch={{ optionFilterProp: 'label' }}
        loading={list.isPending}
        value={chosen ?? found[0]?.id}
        onChange={setChosen}
        onPopupScroll={(e) => {
          const el = e.currentTarget;
          const near = el.scrollTop + el.clientHeight > el.scrollHeight - 80;
          if (near && list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage();
        }}
        notFoundContent={t('no_application')}
        options={found.map((a) => ({
          value: a.id,
          label: `${a.user_name} · ${a.subject_name} · ${w.product(a.product)} · ${w.word('state', a.state)}`,
        }))}
      />
      <p className="fw-row">
        <Button
          type="primary"
          loading={run.isPending}
          disabled={found.length === 0}
          onClick={start}
        >
          {t('try')}
        </Button>
        {list.hasNextPage ? (
          <Button
            type="text"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {t('more_applications')}
          </Button>
        ) : null}
      </p>
      {run.error ? <Problem error={run.error} compact /> : null}
      {data ? (
        <div aria-live="polite">
          {variables?.source === props.source ? null : (
            <p className="fw-muted">{t('text_changed')}</p>
          )}
          <TriedView of={data} application={variables?.application_id ?? ''} />
        </div>
      ) : null}
    </Panel>
  );
}

function TriedView(props: { of: OfficerTried; application: string }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  const w = useWords();
  const { was, would } = props.of;
  const pill = (d: Decision) => (
    <Pill tone={toneOf(d.outcome)}>{w.word('outcome', d.outcome)}</Pill>
  );
  const lines: [string, (d: Decision) => React.ReactNode, (d: Decision) => unknown][] = [
    [t('outcome'), pill, (d) => d.outcome],
    [t('limit'), (d) => f.yuan0(d.limit), (d) => d.limit],
    [t('rate'), (d) => f.rate(d.rate), (d) => d.rate],
    [t('score'), (d) => f.integer(d.score), (d) => d.score],
  ];
  return (
    <>
      <table className="fw-table table tried">
        <caption className="sr-only">{t('tried')}</caption>
        <thead>
          <tr>
            <th scope="col">
              <Link to={`/applications/${props.application}`}>{t('open_application')}</Link>
            </th>
            <th scope="col">{t('was')}</th>
            <th scope="col">{t('would')}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(([name, show, key]) => (
            <tr key={name} className={key(was) === key(would) ? undefined : 'marked'}>
              <th scope="row">{name}</th>
              <td>{show(was)}</td>
              <td>{show(would)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <LimitBars was={was} would={would} />
      <h3>{t('reasons')}</h3>
      <Reasons was={was} would={would} />
    </>
  );
}

/** What each rule allows, before and after; the least of them is the limit. */
function LimitBars(props: { was: Decision; would: Decision }) {
  const { t } = useTranslation('strategy');
  const f = useFormats();
  const { was, would } = props;
  const of = (d: Decision) => d.allowances ?? [];
  const codes = [...new Set([...of(would), ...of(was)].map((a) => a.code))];
  const amount = (d: Decision, code: string) => of(d).find((a) => a.code === code);
  const rows = codes
    .map((code) => ({ code, was: amount(was, code), would: amount(would, code) }))
    .sort(
      (a, b) =>
        (a.would?.amount ?? Number.POSITIVE_INFINITY) -
        (b.would?.amount ?? Number.POSITIVE_INFINITY),
    );
  if (rows.length === 0) return null;
  const least = Math.min(...rows.flatMap((r) => [r.was?.amount, r.would?.amount]).filter(isNumber));
  const most = Math.max(...rows.flatMap((r) => [r.was?.amount, r.would?.amount]).filter(isNumber));
  const top = Math.max(Math.min(most, Math.max(5 * least, 3 * would.limit, 3 * was.limit)), 1);
  const width = (fen: number | undefined) =>
    `${(100 * Math.min(Math.max(fen ?? 0, 0), top)) / top}%`;
  return (
    <>
      <h3>{t('allowed')}</h3>
      <ul className="bars">
        {rows.map((r) => (
          <li key={r.code}>
            <span>
              {r.would?.message || r.was?.message || r.code} <code>{r.code}</code>{' '}
              {r.would?.binding ? <Pill tone="warn">{t('binding')}</Pill> : null}
            </span>
            <Bar name={t('was')} width={width(r.was?.amount)} text={f.yuan0(r.was?.amount)} />
            <Bar
              name={t('would')}
              width={width(r.would?.amount)}
              text={f.yuan0(r.would?.amount)}
              now
            />
          </li>
        ))}
      </ul>
    </>
  );
}

const isNumber = (v: number | undefined): v is number => v !== undefined;

function Bar(props: { name: string; width: string; text: string; now?: boolean }) {
  return (
    <span className="bar">
      <small>{props.name}</small>
      <span className="bar-track" aria-hidden="true">
        <i data-now={props.now} style={{ width: props.width }} />
      </span>
      <b className="fw-num">{props.text}</b>
    </span>
  );
}

/** Reasons of both; those that come and go are marked. */
function Reasons(props: { was: Decision; would: Decision }) {
  const { t } = useTranslation('strategy');
  const w = useWords();
  const of = (d: Decision) => d.reasons ?? [];
  const codes = (d: Decision) => new Set(of(d).map((r) => r.code));
  const [before, after] = [codes(props.was), codes(props.would)];
  const rows: [Reason, string][] = [
    ...of(props.would).map((r): [Reason, string] => [r, before.has(r.code) ? '' : 'new']),
    ...of(props.was)
      .filter((r) => !after.has(r.code))
      .map((r): [Reason, string] => [r, 'gone']),
  ];
  if (rows.length === 0) return <p className="fw-muted">{t('no_reasons')}</p>;
  return (
    <ul className="tried-reasons">
      {rows.map(([r, mark]) => (
        <li key={mark + r.code + r.message} data-mark={mark}>
          <Pill tone={toneOf(r.effect)}>{w.word('effect', r.effect)}</Pill>{' '}
          {mark ? <b>{t(`mark.${mark}`)}</b> : null} {r.message} <code>{r.code}</code>
        </li>
      ))}
    </ul>
  );
}
