import type { ApplicationDetail, Decision, Evidence, Reason } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { limitSteps } from '@furrow/shared/limit';
import { Await, Empty, Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button } from 'antd';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useApplication, useReplay, useVerdict } from '../data';
import { HistoryPanel } from '../decision/HistoryPanel';
import { LimitChangesPanel } from '../decision/LimitChangesPanel';
import { LimitPanel } from '../decision/LimitPanel';
import { RaisesPanel } from '../decision/RaisesPanel';
import { ReviewPanel } from '../decision/ReviewPanel';
import { ScorePanel } from '../decision/ScorePanel';
import { SourcesPanel } from '../decision/SourcesPanel';
import { TurnoverPanel } from '../decision/TurnoverPanel';
import { AgreementPanel } from '../fund/AgreementPanel';
import { DocumentsPanel } from '../paper/DocumentsPanel';
import { SuretyPanel } from '../paper/SuretyPanel';
import { NoteDialog } from '../pieces/NoteDialog';
import { Facts, Figures, Page, Panel } from '../pieces/Page';
import { Pill, toneOf } from '../pieces/Pill';
import { ScheduleTable } from '../pieces/ScheduleTable';
import { subjectPath } from '../pieces/subject';
import { useMay } from '../pieces/useMay';

/** An application: the answer, why, on what evidence, and what a person may do. */
export function ApplicationPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('applications');
  const query = useApplication(id);
  const title = query.data ? t('of', { name: query.data.application.user_name }) : t('one');
  return (
    <Page
      title={title}
      crumbs={[{ to: '/applications', text: t('title') }]}
      lead={query.data ? <Lead detail={query.data} /> : null}
      actions={query.data ? <Verdict detail={query.data} /> : null}
    >
      <Await query={query} lines={10}>
        {(d) => <Body detail={d} />}
      </Await>
    </Page>
  );
}

function Lead(props: { detail: ApplicationDetail }) {
  const { t } = useTranslation('applications');
  const f = useFormats();
  const w = useWords();
  const a = props.detail.application;
  return (
    <>
      <Pill tone={toneOf(a.state)}>{w.word('state', a.state)}</Pill>
      <span>{w.product(a.product)}</span>
      <span>
        {w.word('subject', a.subject.kind)}{' '}
        <Link to={subjectPath(a.subject.kind, a.subject.id)}>{a.subject_name}</Link>
      </span>
      <span>{t('asked_for', { amount: f.yuan0(a.asked), months: a.term_months })}</span>
      {a.purpose ? <span>{t('purpose', { text: a.purpose })}</span> : null}
    </>
  );
}

function Body(props: { detail: ApplicationDetail }) {
  const { t } = useTranslation('applications');
  const f = useFormats();
  const w = useWords();
  const {
    application: a,
    decision,
    evidence,
    steps,
    contract,
    loan,
    schedule,
    review,
  } = props.detail;
  // What the picture of the limit tells is not told twice.
  const pictured = new Set(decision ? limitSteps(decision).map((step) => step.code) : []);
  const reasons = (decision?.reasons ?? []).filter((r) => !pictured.has(r.code));
  return (
    <>
      {decision ? (
        <Figures
          items={[
            {
              name: t('limit'),
              value: f.yuan0(a.limit || decision.limit),
              note: t('asked_note', { amount: f.yuan0(a.asked) }),
            },
            {
              name: t('rate'),
              value: f.rate(a.rate || decision.rate),
              note: t('months', { count: decision.term_months }),
            },
            { name: t('score'), value: f.integer(decision.score), note: t('score_note') },
            {
              name: t('answer'),
              value: (
                <Pill tone={toneOf(decision.outcome)}>{w.word('outcome', decision.outcome)}</Pill>
              ),
              note: f.time(decision.made_at),
            },
          ]}
        />
      ) : null}
      <div className="split">
        <div>
          {reasons.length || !pictured.size ? (
            <Panel title={t('reasons')} flush>
              {decision ? <Reasons reasons={reasons} /> : <Empty text={t('no_decision')} />}
            </Panel>
          ) : null}
          {decision ? (
            <>
              <LimitChangesPanel changes={props.detail.limit_changes ?? []} />
              <LimitPanel decision={decision} />
              <RaisesPanel raises={decision.raises ?? []} />
              <ScorePanel scores={decision.scores ?? []} />
            </>
          ) : null}
          {evidence?.turnover ? (
            <TurnoverPanel turnover={evidence.turnover} past={evidence.standing?.series ?? []} />
          ) : null}
          {evidence ? (
            <>
              <EvidencePanel evidence={evidence} />
              <HistoryPanel evidence={evidence} />
              <SourcesPanel evidence={evidence} withdrawn={props.detail.withdrawn} />
            </>
          ) : null}
          {schedule?.length ? (
            <Panel title={t('schedule')} flush>
              <ScheduleTable rows={schedule} />
            </Panel>
          ) : null}
        </div>
        <div>
          {review ? <ReviewPanel review={review} /> : null}
          {decision ? <DecisionPanel decision={decision} /> : null}
          {contract || loan ? (
            <Panel
              title={t('contract')}
              extra={loan ? <Link to={`/loans/${loan.id}`}>{t('to_loan')}</Link> : null}
            >
              {contract ? (
                <>
                  <Facts
                    rows={[
                      [t('limit'), f.yuan(contract.limit)],
                      [t('rate'), f.rate(contract.rate)],
                      [t('method'), w.word('method', contract.method)],
                      [
                        t('signed'),
                        contract.signed_at ? f.time(contract.signed_at) : t('not_signed'),
                      ],
                      [t('hash'), <Hash key="h" text={contract.hash} />],
                    ]}
                  />
                  <details>
                    <summary>{t('contract_text')}</summary>
                    <pre className="contract">{contract.text}</pre>
                  </details>
                </>
              ) : null}
              {loan ? (
                <Facts
                  rows={[
                    [t('drawn'), f.yuan(loan.principal)],
                    [t('outstanding'), f.yuan(loan.outstanding)],
                    [t('next_due'), `${f.date(loan.next_due)}  ${f.yuan(loan.next_amount)}`],
                  ]}
                />
              ) : null}
            </Panel>
          ) : null}
          <SuretyPanel detail={props.detail} />
          {OPEN.includes(a.state) ? <AgreementPanel applicationId={a.id} /> : null}
          {PRINTED.includes(a.state) ? <DocumentsPanel applicationId={a.id} /> : null}
          <Panel title={t('history')}>
            <ol className="steps">
              {(steps ?? []).map((s) => (
                <li key={`${s.at}${s.to}`}>
                  <b>{w.word('state', s.to)}</b>
                  <span className="fw-muted">
                    {s.actor === 'system' ? t('system') : s.actor_name || s.actor}
                    {' · '}
                    <time dateTime={s.at}>{f.time(s.at)}</time>
                  </span>
                  {s.note ? <q>{s.note}</q> : null}
                </li>
              ))}
            </ol>
          </Panel>
        </div>
      </div>
    </>
  );
}

/** States in which there is a contract to read or to check. */
/** Something may still be drawn. */
const OPEN = ['referred', 'offered', 'accepted', 'signed', 'active'];
const PRINTED = ['offered', 'accepted', 'signed', 'active', 'closed'];

function Reasons(props: { reasons: Reason[] }) {
  const { t } = useTranslation('applications');
  const f = useFormats();
  const w = useWords();
  if (props.reasons.length === 0) return <Empty text={t('no_reasons')} />;
  return (
    <ol className="reasons">
      {props.reasons.map((r, i) => (
        <li key={`${r.code}${i}`} className={`reason reason-${r.effect}`}>
          <Pill tone={toneOf(r.effect)}>{w.word('effect', r.effect)}</Pill>
          <span>
            {r.message} <code>{r.code}</code>
          </span>
          <b className="fw-num">{r.amount ? signed(f.yuan0(Math.abs(r.amount)), r.amount) : ''}</b>
        </li>
      ))}
    </ol>
  );
}

const signed = (text: string, n: number) => `${n < 0 ? '−' : '+'}${text}`;

/** The frozen evidence, by kind, with its confidence and age. */
function EvidencePanel(props: { evidence: Evidence }) {
  const { t } = useTranslation('applications');
  const f = useFormats();
  const w = useWords();
  const e = props.evidence;
  const rows: [string, ReactNode][] = [
    [t('e.applicant'), e.applicant.name],
    [t('e.debts'), f.yuan0(e.applicant.debts)],
    [t('e.worst'), t('days', { count: e.applicant.worst_overdue_days })],
    [t('e.overlaps'), e.overlaps?.length ? <Overlaps key="o" of={e.overlaps} /> : t('none_found')],
    [
      t('e.alerts'),
      e.alerts?.length ? e.alerts.map((a) => w.word('alert', a)).join(', ') : t('none_found'),
    ],
    [
      t('e.pledged'),
      e.pledged ? <Link to={`/applications/${e.pledged}`}>{t('e.other')}</Link> : t('none_found'),
    ],
  ];
  return (
    <Panel
      title={t('evidence')}
      extra={<span className="fw-muted">{t('frozen', { time: f.time(e.taken_at) })}</span>}
    >
      {e.crop ? (
        <Part title={t('e.crop')} status={e.crop.status} reason={e.crop.reason}>
          <Facts
            rows={[
              [t('e.seen_crop'), `${w.crop(e.crop.crop)} ${f.percent(e.crop.confidence)}`],
              [t('e.declared'), w.crop(e.crop.declared)],
              [t('e.area'), `${f.mu(e.crop.area_m2)} ${t('shared:unit.mu')}`],
              [t('e.vigour'), f.percent(e.crop.vigour)],
              [t('e.clear'), `${e.crop.clear_dates} / ${e.crop.total_dates}`],
              [
                t('e.hazards'),
                e.crop.hazards?.length
                  ? e.crop.hazards
                      .map((h) => `${w.word('hazard', h.kind)} ${f.percent(h.share)}`)
                      .join(', ')
                  : t('none_found'),
              ],
              [
                t('e.worth'),
                e.crop.worth
                  ? `${f.yuan0(e.crop.worth.low)} – ${f.yuan0(e.crop.worth.high)}`
                  : f.yuan0(undefined),
              ],
            ]}
          />
        </Part>
      ) : null}
      {e.herd ? (
        <Part title={t('e.herd')} status={e.herd.status} reason={e.herd.reason}>
          <Facts
            rows={[
              [t('e.registered'), f.integer(e.herd.registered)],
              [t('e.verified'), f.integer(e.herd.verified)],
              [t('e.out'), f.integer(e.herd.outside)],
              [t('e.silent'), f.integer(e.herd.silent)],
              [t('e.unverified'), f.integer(e.herd.unverified)],
              [t('e.value'), `${f.yuan0(e.herd.value_low)} – ${f.yuan0(e.herd.value_high)}`],
            ]}
          />
        </Part>
      ) : null}
      {e.standing ? (
        <Part title={t('e.standing')} status={e.standing.status} reason={e.standing.reason}>
          <Facts
            rows={[
              [t('e.invoiced'), f.yuan0(e.standing.invoiced_12m)],
              [t('e.proven'), f.percent(e.standing.proven)],
              [t('e.counterparties'), f.integer(e.standing.counterparties)],
              [
                t('e.anchors'),
                (e.standing.anchors ?? [])
                  .map((a) => `${a.name} ${f.percent(a.share)}`)
                  .join(', ') || t('none_found'),
              ],
              [
                t('e.findings'),
                e.standing.findings?.map((x) => w.word('finding', x.kind)).join(', ') ||
                  t('none_found'),
              ],
            ]}
          />
        </Part>
      ) : null}
      <Part title={t('e.person')}>
        <Facts rows={rows} />
      </Part>
    </Panel>
  );
}

function Part(props: { title: string; status?: string; reason?: string; children: ReactNode }) {
  const w = useWords();
  return (
    <section className="part">
      <h3>
        {props.title}{' '}
        {props.status ? (
          <Pill tone={toneOf(props.status)}>{w.word('status', props.status)}</Pill>
        ) : null}
      </h3>
      {props.reason ? <p className="fw-muted">{w.why(props.reason)}</p> : null}
      {props.children}
    </section>
  );
}

function Overlaps(props: { of: NonNullable<Evidence['overlaps']> }) {
  const f = useFormats();
  return (
    <>
      {props.of.map((o) => (
        <Link key={o.plot_id} to={subjectPath('plot', o.plot_id)}>
          {f.percent(o.share)}{' '}
        </Link>
      ))}
    </>
  );
}

/** How the answer was made, and the proof that it can be made again. */
function DecisionPanel(props: { decision: Decision }) {
  const { t } = useTranslation('applications');
  const f = useFormats();
  const { decision: d } = props;
  const replay = useReplay(d.id);
  return (
    <Panel
      title={t('decision')}
      extra={
        <Button size="small" loading={replay.isPending} onClick={() => replay.mutate()}>
          {t('replay')}
        </Button>
      }
    >
      <Facts
        rows={[
          [t('policy'), <Hash key="p" text={d.policy} />],
          [t('snapshot'), <Hash key="s" text={d.evidence_hash} />],
          [t('made'), f.time(d.made_at)],
          [t('took'), t('micros', { n: f.integer(d.micros) })],
        ]}
      />
      {replay.error ? <Problem error={replay.error} compact /> : null}
      {replay.data ? (
        <p
          className={replay.data.same ? 'replay replay-same' : 'replay replay-other'}
          role="status"
        >
          {replay.data.same
            ? t('same')
            : t('different', {
                stored: f.yuan0(replay.data.stored.limit),
                replayed: f.yuan0(replay.data.replayed.limit),
              })}
        </p>
      ) : null}
    </Panel>
  );
}

function Hash(props: { text: string }) {
  return (
    <code className="hash" title={props.text}>
      {props.text}
    </code>
  );
}

/** Approve or refuse, when a person has to decide. */
function Verdict(props: { detail: ApplicationDetail }) {
  const { t } = useTranslation('applications');
  const f = useFormats();
  const a = props.detail.application;
  const verdict = useVerdict(a.id);
  const may = useMay();
  const [asking, setAsking] = useState<'approve' | 'refuse'>();
  if (!may || a.state !== 'referred') return null;
  return (
    <>
      <Button onClick={() => setAsking('refuse')}>{t('refuse')}</Button>
      <Button
        type="primary"
        disabled={a.limit === 0}
        title={a.limit === 0 ? t('nothing_to_approve') : undefined}
        onClick={() => setAsking('approve')}
      >
        {t('approve')}
      </Button>
      {asking ? (
        <NoteDialog
          title={t(`${asking}_title`, {
            name: a.user_name,
            amount: f.yuan0(asking === 'approve' ? a.limit : a.asked),
          })}
          label={t('note')}
          ok={t(asking)}
          danger={asking === 'refuse'}
          pending={verdict.isPending}
          error={verdict.error}
          onOk={(note) =>
            verdict.mutate({ verdict: asking, note }, { onSuccess: () => setAsking(undefined) })
          }
          onCancel={() => setAsking(undefined)}
        />
      ) : null}
    </>
  );
}
