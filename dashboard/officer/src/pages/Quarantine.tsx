import type { Quarantined } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { addTexts } from '@furrow/shared/i18n';
import { Await } from '@furrow/shared/ui/states';
import { memo, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuarantine, useQuarantineCounts } from '../data';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { begin, preview } from '../pieces/payload';

const FIRST = 60;

addTexts(import.meta.glob('../locales/*/quarantine.json', { eager: true, import: 'default' }));

/** Messages of tags that were refused but kept, with why. */
export function QuarantinePage() {
  const { t } = useTranslation('quarantine');
  const f = useFormats();
  const [code, setCode] = useParam('code');
  const counts = useQuarantineCounts();
  const list = useQuarantine(code);
  const columns = useMemo<Column<Quarantined>[]>(
    () => [
      {
        key: 'received',
        title: t('received'),
        cell: (q) => <span className="nowrap">{f.time(q.received_at)}</span>,
      },
      {
        key: 'reason',
        title: t('reason'),
        cell: (q) => (
          <>
            {q.reason}
            <small className="fw-muted quarantine-code"> {q.code}</small>
          </>
        ),
      },
      { key: 'device', title: t('device'), cell: (q) => <code>{q.device || t('unsaid')}</code> },
      { key: 'topic', title: t('topic'), cell: (q) => <code className="topic">{q.topic}</code> },
      { key: 'payload', title: t('payload'), cell: (q) => <Payload of={q.payload} /> },
    ],
    [t, f],
  );
  const codes = Object.entries(counts.data ?? {}).sort((a, b) => b[1] - a[1]);
  const all = codes.reduce((sum, [, n]) => sum + n, 0);
  return (
    <Page title={t('title')} lead={t('lead')}>
      {codes.length ? (
        <Choice
          label={t('reason')}
          value={code}
          onChange={setCode}
          options={[
            { value: '', text: t('any'), count: all },
            ...codes.map(([c, n]) => ({
              value: c,
              text: t(`codes.${c.replace('.', '_')}`, { defaultValue: c }),
              count: n,
            })),
          ]}
        />
      ) : null}
      <Panel title={t('list')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('list')}
              rows={rows}
              columns={columns}
              rowKey={(q) => q.id}
              empty={t(code ? 'none_of' : 'none')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}

/** What was sent: as text, or its bytes where it is none; long ones open. */
const Payload = memo(function Payload(props: { of: string }) {
  const { t } = useTranslation('quarantine');
  const p = useMemo(() => preview(props.of), [props.of]);
  if (p.size === 0) return <span className="fw-muted">{t('empty')}</span>;
  const size = t(p.kind === 'hex' ? 'bytes_hex' : 'bytes', { count: p.size });
  if (p.text.length <= FIRST)
    return (
      <>
        <code>{p.text}</code> <small className="fw-muted">{size}</small>
      </>
    );
  return (
    <details className="payload">
      <summary>
        <code>{begin(p.text, FIRST)}</code> <small className="fw-muted">{size}</small>
      </summary>
      <pre>{p.text}</pre>
    </details>
  );
});
