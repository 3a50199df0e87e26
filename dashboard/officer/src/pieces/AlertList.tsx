import type { Alert } from '@furrow/shared/api/types';
import { type Formats, useFormats } from '@furrow/shared/format';
import { Empty } from '@furrow/shared/ui/states';
import { useWords, type Words } from '@furrow/shared/words';
import { Button } from 'antd';
import { memo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCloseAlert } from '../data';
import { Ago } from './Ago';
import { EvidenceList, saidValue } from './EvidenceList';
import { NoteDialog } from './NoteDialog';
import { Pill, toneOf } from './Pill';
import { sayable } from './saying';
import { alertPath } from './subject';
import { useMay } from './useMay';

/** Alerts, each with its evidence and the way to close it. */
export function AlertList(props: { alerts: Alert[]; brief?: boolean; empty?: string }) {
  const [closing, setClosing] = useState<Alert>();
  const may = useMay();
  const f = useFormats();
  const w = useWords();
  if (props.alerts.length === 0) return <Empty text={props.empty} />;
  return (
    <>
      <ol className="alerts">
        {props.alerts.map((a) => (
          <Line
            key={a.id}
            alert={a}
            brief={props.brief}
            may={may}
            formats={f}
            words={w}
            onClose={setClosing}
          />
        ))}
      </ol>
      {closing ? <CloseAlert alert={closing} onDone={() => setClosing(undefined)} /> : null}
    </>
  );
}

/**
 * One alert. It is drawn again only when something of its own changes: an arrival in a
 * list of hundreds costs one row. Everything it is given keeps its identity for that.
 */
const Line = memo(function Line(props: {
  alert: Alert;
  brief: boolean | undefined;
  may: boolean;
  formats: Formats;
  words: Words;
  onClose(alert: Alert): void;
}) {
  const { t } = useTranslation('alerts');
  const { formats: f, words: w, may } = props;
  const a = props.alert;
  const path = alertPath(a);
  const said = props.brief ? undefined : sayable(a.kind, a.evidence);
  return (
    <li
      className={`alert alert-${a.severity} ${a.closed_at ? 'alert-closed' : ''}`}
      data-alert={a.id}
      data-kind={a.kind}
      data-item={a.item}
    >
      <div className="alert-head">
        <Pill tone={toneOf(a.severity)}>{w.word('severity', a.severity)}</Pill>
        <b>{w.word('alert', a.kind)}</b>
        <span className="kind">{w.word('subject', a.subject_kind)}</span>
        {path ? <Link to={path}>{a.label || a.subject_id}</Link> : null}
        {a.count > 1 ? <span className="fw-muted">{t('times', { count: a.count })}</span> : null}
        <time dateTime={a.opened_at} title={f.time(a.opened_at)}>
          <Ago since={a.opened_at} />
        </time>
      </div>
      {props.brief ? null : (
        <>
          {said ? (
            <p className="alert-said">
              {t(
                `said.${a.kind}`,
                Object.fromEntries(
                  said.needs.map((k) => [k, saidValue(f, w, k, a.evidence[k] ?? '')]),
                ),
              )}
            </p>
          ) : null}
          <EvidenceList of={said?.left ?? a.evidence} said={a.label} />
          <div className="alert-foot">
            {a.closed_at ? (
              <span className="fw-muted">
                {t('closed', { time: f.time(a.closed_at), cause: a.cause || t('no_cause') })}
              </span>
            ) : (
              <>
                <span className="fw-muted">{t('opened', { time: f.time(a.event_at) })}</span>
                {may ? (
                  <Button size="small" onClick={() => props.onClose(a)}>
                    {t('close')}
                  </Button>
                ) : null}
              </>
            )}
            {a.loan_id ? <Link to={`/loans/${a.loan_id}`}>{t('loan')}</Link> : null}
          </div>
        </>
      )}
    </li>
  );
});

function CloseAlert(props: { alert: Alert; onDone(): void }) {
  const { t } = useTranslation('alerts');
  const w = useWords();
  const close = useCloseAlert();
  const { id, kind, label } = props.alert;
  return (
    <NoteDialog
      title={t('close_title', { kind: w.word('alert', kind), label })}
      label={t('cause')}
      ok={t('close')}
      pending={close.isPending}
      error={close.error}
      onOk={(cause) => close.mutate({ id, cause }, { onSuccess: props.onDone })}
      onCancel={props.onDone}
    />
  );
}
