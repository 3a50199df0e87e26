import { useSession } from '@furrow/shared/session';
import { Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from '../pieces/DataTable';
import { NoteDialog } from '../pieces/NoteDialog';
import { useMay } from '../pieces/useMay';
import { Who } from './Who';

interface Proposal {
  id: string;
  state: string;
  asked_by: string;
  asked_name: string;
  asked_at: string;
  decided_at?: string;
  decided_name?: string;
}

type Answer = { deed: 'agree'; id: string } | { deed: 'refuse'; id: string; note: string };

interface Deed {
  mutate(answer: Answer, then?: { onSuccess(): void }): void;
  isPending: boolean;
  error: unknown;
}

/** Proposals with who asked and who decided; another person than who asked agrees or refuses. */
export function ByTwo<P extends Proposal>(props: {
  label: string;
  empty: string;
  rows: P[];
  columns: Column<P>[];
  deed: Deed;
  agree: string;
  refuse: string;
}) {
  const { t } = useTranslation('ledger');
  const may = useMay();
  const { user } = useSession();
  const [refusing, setRefusing] = useState<string>();
  const { deed } = props;
  const columns: Column<P>[] = [
    ...props.columns,
    {
      key: 'asked',
      title: t('asked_by'),
      cell: (p) => <Who name={p.asked_name} at={p.asked_at} />,
    },
    {
      key: 'decided',
      title: t('decided_by'),
      cell: (p) => (p.decided_at ? <Who name={p.decided_name ?? ''} at={p.decided_at} /> : '—'),
    },
    {
      key: 'act',
      title: t('act_column'),
      cell: (p) =>
        p.state !== 'asked' || !may ? null : (
          <span className="fw-row">
            {p.asked_by === user.id ? (
              <span className="fw-muted">{t('own_proposal')}</span>
            ) : (
              <Button
                size="small"
                type="primary"
                loading={deed.isPending}
                onClick={() => deed.mutate({ deed: 'agree', id: p.id })}
              >
                {props.agree}
              </Button>
            )}
            <Button size="small" onClick={() => setRefusing(p.id)}>
              {t('refuse')}
            </Button>
          </span>
        ),
    },
  ];
  return (
    <>
      {deed.error && !refusing ? <Problem error={deed.error} compact /> : null}
      <DataTable
        label={props.label}
        rows={props.rows}
        columns={columns}
        rowKey={(p) => p.id}
        empty={props.empty}
      />
      {refusing ? (
        <NoteDialog
          title={props.refuse}
          label={t('why')}
          ok={t('refuse')}
          danger
          pending={deed.isPending}
          error={deed.error}
          onOk={(note) =>
            deed.mutate(
              { deed: 'refuse', id: refusing, note },
              { onSuccess: () => setRefusing(undefined) },
            )
          }
          onCancel={() => setRefusing(undefined)}
        />
      ) : null}
    </>
  );
}
