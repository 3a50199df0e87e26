import type { OfficerModelDetail } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty, Problem } from '@furrow/shared/ui/states';
import { Button, Popconfirm } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { NoteDialog } from '../pieces/NoteDialog';
import { Facts, Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { type Step, stepsFrom, useModel, useMonitoring, useStep } from './data';
import { ModelStatus } from './Models';
import { MonitorView } from './Monitor';
import './texts';
import './model.css';

/** A version of a model: what it was made from, who looked at it, and how it fares. */
export function ModelPage() {
  const { t } = useTranslation('model');
  const { name = '', version = '' } = useParams();
  const model = useModel(name, version);
  const monitoring = useMonitoring(name, version);
  const may = useMay();
  return (
    <Page
      title={`${name} · ${version}`}
      crumbs={[{ to: '/models', text: t('title') }]}
      lead={model.data ? <ModelStatus of={model.data} /> : null}
      actions={may && model.data ? <Steps model={model.data} /> : null}
    >
      <Await query={model}>
        {(m) => (
          <>
            {m.overdue ? (
              <p className="model-late" role="alert">
                {t('late_this')}
              </p>
            ) : null}
            <div className="split split-even">
              <Record model={m} />
              <Reviews model={m} />
            </div>
          </>
        )}
      </Await>
      <Panel title={t('monitoring')}>
        <Await query={monitoring}>{(of) => <MonitorView of={of} />}</Await>
      </Panel>
      {model.data ? <Inputs model={model.data} /> : null}
    </Page>
  );
}

function Steps({ model: m }: { model: OfficerModelDetail }) {
  const { t } = useTranslation('model');
  const step = useStep(m.name, m.version);
  const [asks, setAsks] = useState<Step>();
  const approved = m.reviews?.at(-1)?.verdict === 'approve';
  return (
    <>
      {stepsFrom(m.status, approved).map((s) =>
        s === 'approve' || s === 'return' ? (
          <Button
            key={s}
            danger={s === 'return'}
            onClick={() => {
              step.reset();
              setAsks(s);
            }}
          >
            {t(`step.${s}`)}
          </Button>
        ) : (
          <Popconfirm
            key={s}
            title={t(`step_title.${s}`)}
            okText={t(`step.${s}`)}
            onConfirm={() => step.mutate({ step: s, note: '' })}
          >
            <Button danger={s === 'retire'}>{t(`step.${s}`)}</Button>
          </Popconfirm>
        ),
      )}
      {step.error && !asks ? <Problem error={step.error} compact /> : null}
      {asks ? (
        <NoteDialog
          title={t(`step_title.${asks}`)}
          label={t('found')}
          ok={t(`step.${asks}`)}
          danger={asks === 'return'}
          pending={step.isPending}
          error={step.error}
          onOk={(note) =>
            step.mutate({ step: asks, note }, { onSuccess: () => setAsks(undefined) })
          }
          onCancel={() => setAsks(undefined)}
        />
      ) : null}
    </>
  );
}

function Record({ model: m }: { model: OfficerModelDetail }) {
  const { t } = useTranslation('model');
  const f = useFormats();
  const r = m.training;
  const figures = Object.entries(r.figures ?? {}).sort(([a], [b]) => a.localeCompare(b));
  return (
    <Panel title={t('record')}>
      <Facts
        rows={[
          [t('owner'), m.owner],
          [t('applicant'), t(`applicants.${m.applicant}`, { defaultValue: m.applicant })],
          [t('dimension'), t(`dimensions.${m.dimension}`, { defaultValue: m.dimension })],
          [t('added'), `${m.added_by_name} · ${f.date(m.added_at)}`],
          [t('published'), f.date(m.published_at)],
          [t('due'), f.date(m.review_due)],
          [t('trained_on'), f.integer(r.rows)],
          [t('bad_rows'), `${f.integer(r.bad)} · ${f.percent1(r.rows ? r.bad / r.rows : 0)}`],
          [t('span'), r.from || r.to ? `${f.date(r.from)} – ${f.date(r.to)}` : ''],
          [t('method'), r.method],
          [t('folds'), r.folds ?? ''],
          [t('seed'), String(r.seed)],
          [t('made'), [r.by, f.date(r.at)].filter(Boolean).join(' · ')],
          [
            t('data'),
            <code key="data" className="hash" title={r.data}>
              {r.data}
            </code>,
          ],
          ...figures.map(([key, v]): [string, string] => [
            t(`figure.${key}`, { defaultValue: key }),
            Number.isInteger(v) ? f.integer(v) : f.decimal(v, 4),
          ]),
        ]}
      />
    </Panel>
  );
}

function Reviews({ model: m }: { model: OfficerModelDetail }) {
  const { t } = useTranslation('model');
  const f = useFormats();
  const reviews = [...(m.reviews ?? [])].reverse();
  return (
    <Panel title={t('reviews')}>
      {reviews.length === 0 ? (
        <Empty text={t('no_reviews')} />
      ) : (
        <ol className="steps">
          {reviews.map((r) => (
            <li key={r.id}>
              <span className="fw-row">
                <Pill tone={r.verdict === 'approve' ? 'good' : 'bad'}>
                  {t(`verdict.${r.verdict}`)}
                </Pill>
                {r.by_name}
                <time className="fw-muted" dateTime={r.at}>
                  {f.time(r.at)}
                </time>
              </span>
              <q>{r.note}</q>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

/** The tables of the model: what falls together, and what it costs or brings. */
function Inputs({ model: m }: { model: OfficerModelDetail }) {
  const { t } = useTranslation('model');
  const f = useFormats();
  const inputs = m.inputs ?? [];
  const most = Math.max(...inputs.flatMap((i) => (i.bins ?? []).map((b) => Math.abs(b.points))), 1);
  const direction = (n: number) => (n > 0 ? t('more_better') : n < 0 ? t('more_worse') : '');
  return (
    <Panel title={t('tables')}>
      <p className="fw-muted">{t('base', { points: f.integer(m.base) })}</p>
      <div className="model-inputs">
        {inputs.map((i) => (
          <table key={i.name} className="fw-table table">
            <caption>
              {i.name} <small className="fw-muted">{direction(i.monotone)}</small>
            </caption>
            <thead>
              <tr>
                <th scope="col">{t('bin')}</th>
                <th scope="col" className="fw-num">
                  {t('points')}
                </th>
                <th scope="col">
                  <span className="sr-only">{t('picture')}</span>
                </th>
                <th scope="col" className="fw-num">
                  {t('bad_rate')}
                </th>
              </tr>
            </thead>
            <tbody>
              {(i.bins ?? []).map((b) => (
                <tr key={b.text}>
                  <td>{b.text}</td>
                  <td className="fw-num">{f.integer(b.points)}</td>
                  <td>
                    <span className="points-bar" aria-hidden="true">
                      <i
                        data-less={b.points < 0}
                        style={{
                          width: `${(50 * Math.abs(b.points)) / most}%`,
                          left: b.points < 0 ? `${50 - (50 * -b.points) / most}%` : '50%',
                        }}
                      />
                    </span>
                  </td>
                  <td className="fw-num">{b.rows ? f.percent1(b.bad / b.rows) : ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ))}
      </div>
    </Panel>
  );
}
