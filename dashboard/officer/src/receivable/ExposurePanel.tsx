import type { OfficerExposureLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Input, Modal } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { useExposures, useLimit } from './data';
import { fenOf } from './fen';

/** What each anchor owes, as a bar against its limit. */
export function ExposurePanel() {
  const { t } = useTranslation('receivables');
  const f = useFormats();
  const may = useMay();
  const list = useExposures();
  const [of, setOf] = useState<OfficerExposureLine>();
  const columns: Column<OfficerExposureLine>[] = [
    {
      key: 'name',
      title: t('obligor'),
      sort: (l) => l.name,
      cell: (l) => <Link to={`/firms/${encodeURIComponent(l.exposure.obligor_id)}`}>{l.name}</Link>,
    },
    { key: 'count', title: t('count'), number: true, cell: (l) => f.integer(l.exposure.count) },
    {
      key: 'outstanding',
      title: t('outstanding'),
      number: true,
      sort: (l) => l.exposure.outstanding,
      cell: (l) => f.yuan(l.exposure.outstanding),
    },
    {
      key: 'financed',
      title: t('financed'),
      number: true,
      cell: (l) => f.yuan(l.exposure.financed),
    },
    {
      key: 'overdue',
      title: t('overdue_sum'),
      number: true,
      cell: (l) => f.yuan(l.exposure.overdue),
    },
    { key: 'next', title: t('next_due'), cell: (l) => f.date(l.exposure.next_due) },
    { key: 'limit', title: t('limit'), cell: (l) => <Used line={l} /> },
    {
      key: 'set',
      title: t('set_limit'),
      cell: (l) =>
        may ? (
          <Button
            size="small"
            aria-label={t('act_on', { act: t('set_limit'), number: l.name })}
            onClick={() => setOf(l)}
          >
            {t('set_limit')}
          </Button>
        ) : null,
    },
  ];
  return (
    <Panel title={t('exposures')} flush>
      <Await query={list}>
        {(rows) => (
          <DataTable
            label={t('exposures')}
            rows={rows}
            columns={columns}
            rowKey={(l) => l.exposure.obligor_id}
            empty={t('no_exposures')}
          />
        )}
      </Await>
      {of ? <LimitDialog line={of} onClose={() => setOf(undefined)} /> : null}
    </Panel>
  );
}

function Used({ line }: { line: OfficerExposureLine }) {
  const { t } = useTranslation('receivables');
  const f = useFormats();
  const { limit, outstanding } = line.exposure;
  if (limit === undefined) return <span className="fw-muted">{t('no_limit')}</span>;
  const share = limit ? outstanding / limit : 1;
  return (
    <span className="limit-used" data-over={share >= 1}>
      {f.yuanShort(limit)} · {t('used')} {f.percent(share)}
      <i aria-hidden="true">
        <i style={{ width: `${Math.min(100, share * 100)}%` }} />
      </i>
    </span>
  );
}

function LimitDialog(props: { line: OfficerExposureLine; onClose(): void }) {
  const { t } = useTranslation('receivables');
  const { exposure, name } = props.line;
  const [text, setText] = useState(
    exposure.limit === undefined ? '' : String(exposure.limit / 100),
  );
  const limit = useLimit();
  const fen = fenOf(text);
  const id = useId();
  return (
    <Modal
      open
      title={t('limit_title', { name })}
      okText={t('ok')}
      okButtonProps={{ loading: limit.isPending, disabled: !!text.trim() && fen === undefined }}
      onOk={() =>
        limit.mutate({ id: exposure.obligor_id, limit: fen }, { onSuccess: props.onClose })
      }
      onCancel={props.onClose}
    >
      <label htmlFor={id}>{t('limit_yuan')}</label>
      <Input
        id={id}
        inputMode="decimal"
        value={text}
        maxLength={20}
        onChange={(e) => setText(e.target.value)}
      />
      {limit.error ? <Problem error={limit.error} compact /> : null}
    </Modal>
  );
}
