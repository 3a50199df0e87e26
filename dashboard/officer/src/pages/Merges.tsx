import type { OfficerMergeLine } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useMerges, useSuggestions, useUndo } from '../merge/data';
import { PairCard } from '../merge/PairCard';
import { type Column, DataTable } from '../pieces/DataTable';
import { NoteDialog } from '../pieces/NoteDialog';
import { Page, Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';

/** Firms that may be one, and the log of what was said about that. */
export function MergesPage() {
  const { t } = useTranslation('merges');
  const pairs = useSuggestions();
  const log = useMerges();
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Panel title={t('suggested')} flush>
        <Await query={pairs}>
          {(lines) =>
            lines.length ? (
              lines.map((l) => <PairCard key={l.pair.firm_id + l.pair.other_id} line={l} />)
            ) : (
              <Empty text={t('none')} />
            )
          }
        </Await>
      </Panel>
      <Panel title={t('log')} flush>
        <Await query={log}>{(lines) => <Log lines={lines} />}</Await>
      </Panel>
    </Page>
  );
}

function Log({ lines }: { lines: OfficerMergeLine[] }) {
  const { t } = useTranslation('merges');
  const f = useFormats();
  const may = useMay();
  const undo = useUndo();
  const [of, setOf] = useState<OfficerMergeLine>();
  const firm = (p: OfficerMergeLine['firm']) => (
    <Link to={`/firms/${encodeURIComponent(p.id)}`}>{p.name}</Link>
  );
  const columns: Column<OfficerMergeLine>[] = [
    {
      key: 'at',
      title: t('at'),
      cell: (l) => <span className="nowrap">{f.time(l.merge.at)}</span>,
    },
    { key: 'kind', title: t('kind'), cell: (l) => t(`kinds.${l.merge.kind}`) },
    { key: 'firm', title: t('firm'), cell: (l) => firm(l.firm) },
    { key: 'other', title: t('other'), cell: (l) => firm(l.other) },
    { key: 'who', title: t('who'), cell: (l) => l.merge.by_name },
    { key: 'why', title: t('why_said'), cell: (l) => l.merge.why },
    {
      key: 'undo',
      title: t('undone_column'),
      cell: (l) => {
        if (l.merge.kind === 'undo') return null;
        if (l.merge.ended_by) return <span className="fw-muted">{t('undone')}</span>;
        return may ? (
          <Button size="small" onClick={() => setOf(l)}>
            {t('undo')}
          </Button>
        ) : null;
      },
    },
  ];
  return (
    <>
      <DataTable
        label={t('log')}
        rows={lines}
        columns={columns}
        rowKey={(l) => l.merge.id}
        empty={t('no_log')}
      />
      {of ? (
        <NoteDialog
          title={t('undo_title', { a: of.firm.name, b: of.other.name })}
          label={t('why')}
          ok={t('undo')}
          pending={undo.isPending}
          error={undo.error}
          onOk={(why) =>
            undo.mutate({ id: of.merge.id, why }, { onSuccess: () => setOf(undefined) })
          }
          onCancel={() => setOf(undefined)}
        />
      ) : null}
    </>
  );
}
