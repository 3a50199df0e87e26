import type { ScoreModel } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Page, Panel } from '../pieces/Page';
import { Pill, type Tone } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useAdd, useModels } from './data';
import './texts';
import './model.css';

const tones: Record<string, Tone> = {
  draft: 'info',
  in_review: 'warn',
  published: 'good',
  retired: 'calm',
};

export function ModelStatus(props: { of: Pick<ScoreModel, 'status' | 'overdue'> }) {
  const { t } = useTranslation('model');
  const { status, overdue } = props.of;
  return (
    <>
      <Pill tone={tones[status] ?? 'calm'}>{t(`status.${status}`, { defaultValue: status })}</Pill>
      {overdue ? (
        <>
          {' '}
          <Pill tone="bad">{t('overdue')}</Pill>
        </>
      ) : null}
    </>
  );
}

export const modelPath = (m: Pick<ScoreModel, 'name' | 'version'>) =>
  `/models/${encodeURIComponent(m.name)}/${encodeURIComponent(m.version)}`;

/** The register of models that score, side by side, with what waits for a review. */
export function ModelsPage() {
  const { t } = useTranslation('model');
  const f = useFormats();
  const may = useMay();
  const list = useModels();
  const late = (list.data ?? []).filter((m) => m.overdue);
  const columns: Column<ScoreModel>[] = [
    {
      key: 'name',
      title: t('name'),
      sort: (m) => m.name,
      cell: (m) => (
        <Link to={modelPath(m)}>
          {m.name} · {m.version}
        </Link>
      ),
    },
    {
      key: 'applicant',
      title: t('applicant'),
      sort: (m) => m.applicant,
      cell: (m) => t(`applicants.${m.applicant}`, { defaultValue: m.applicant }),
    },
    {
      key: 'dimension',
      title: t('dimension'),
      sort: (m) => m.dimension,
      cell: (m) => t(`dimensions.${m.dimension}`, { defaultValue: m.dimension }),
    },
    { key: 'owner', title: t('owner'), sort: (m) => m.owner, cell: (m) => m.owner },
    {
      key: 'status',
      title: t('state'),
      sort: (m) => m.status,
      cell: (m) => <ModelStatus of={m} />,
    },
    {
      key: 'reviewed',
      title: t('reviewed'),
      cell: (m) => {
        const last = m.reviews?.at(-1);
        return last ? (
          <>
            {f.date(last.at)} <span className="fw-muted">{last.by_name}</span>
          </>
        ) : (
          <span className="fw-muted">{t('never')}</span>
        );
      },
    },
    { key: 'due', title: t('due'), cell: (m) => f.date(m.review_due) },
    {
      key: 'rows',
      title: t('trained_on'),
      number: true,
      sort: (m) => m.training.rows,
      cell: (m) => f.integer(m.training.rows),
    },
    {
      key: 'auc',
      title: t('auc'),
      number: true,
      sort: (m) => m.training.figures?.auc ?? 0,
      cell: (m) => f.decimal(m.training.figures?.auc, 3),
    },
  ];
  return (
    <Page title={t('title')} lead={t('lead')}>
      {late.length ? (
        <p className="model-late" role="alert">
          {t('late_names', { count: late.length, names: late.map((m) => m.name).join(', ') })}
        </p>
      ) : null}
      <Panel title={t('list')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('list')}
              rows={rows}
              columns={columns}
              rowKey={(m) => m.id}
              empty={t('none')}
            />
          )}
        </Await>
      </Panel>
      {may ? <Add /> : null}
    </Page>
  );
}

const applicants = ['farmer', 'herder', 'firm', 'any'] as const;

/** Puts the file of a fitted model into the register, as a draft. */
function Add() {
  const { t } = useTranslation('model');
  const id = useId();
  const navigate = useNavigate();
  const add = useAdd();
  const [file, setFile] = useState<File>();
  const [owner, setOwner] = useState('');
  const [applicant, setApplicant] = useState<(typeof applicants)[number]>('farmer');
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (file)
      add.mutate(
        { file, owner: owner.trim(), applicant },
        { onSuccess: (m) => navigate(modelPath(m)) },
      );
  };
  return (
    <Panel title={t('add')} flush>
      <p className="panel-note">{t('add_lead')}</p>
      <form className="small-form" onSubmit={send}>
        <p>
          <label htmlFor={`${id}f`}>{t('file')}</label>
          <input
            id={`${id}f`}
            type="file"
            accept=".json"
            onChange={(e) => setFile(e.target.files?.[0])}
          />
        </p>
        <p>
          <label htmlFor={`${id}o`}>{t('owner')}</label>
          <input
            id={`${id}o`}
            value={owner}
            maxLength={100}
            onChange={(e) => setOwner(e.target.value)}
          />
        </p>
        <p>
          <label htmlFor={`${id}a`}>{t('applicant')}</label>
          <select
            id={`${id}a`}
            value={applicant}
            onChange={(e) => setApplicant(e.target.value as typeof applicant)}
          >
            {applicants.map((a) => (
              <option key={a} value={a}>
                {t(`applicants.${a}`)}
              </option>
            ))}
          </select>
        </p>
        <Button
          type="primary"
          htmlType="submit"
          loading={add.isPending}
          disabled={!file || !owner.trim()}
        >
          {t('add')}
        </Button>
        {add.error ? <Problem error={add.error} compact /> : null}
      </form>
    </Panel>
  );
}
