import type { PayInstruction } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useAsk, usePayment, usePayments } from './data';
import { PaymentSub } from './Subs';
import { stateTone } from './tones';

/** Payment orders, and those of which the bank has not said what became of them. */
export function PaymentsPage() {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const w = useWords();
  const may = useMay();
  const [show, setShow] = useParam('show');
  const list = usePayments(show);
  const ask = useAsk();
  const [open, setOpen] = useState('');
  const columns: Column<PayInstruction>[] = [
    { key: 'at', title: t('at'), cell: (p) => f.time(p.created_at) },
    { key: 'party', title: t('party'), cell: (p) => p.order.party_name },
    {
      key: 'direction',
      title: t('direction'),
      cell: (p) => t(`way.${p.order.direction}`, { defaultValue: p.order.direction }),
    },
    {
      key: 'amount',
      title: t('amount'),
      number: true,
      sort: (p) => p.order.amount,
      cell: (p) => f.yuan(p.order.amount),
    },
    {
      key: 'outcome',
      title: t('state'),
      cell: (p) => (
        <>
          <Pill tone={stateTone(p.outcome)}>{t(`outcome.${p.outcome}`)}</Pill>{' '}
          {p.disputed ? <Pill tone="bad">{t('disputed')}</Pill> : null}{' '}
          {p.reason ? w.refusal(p.reason) : ''}
        </>
      ),
    },
    { key: 'ref', title: t('bank_ref'), cell: (p) => p.ref },
    {
      key: 'tries',
      title: t('tries'),
      number: true,
      cell: (p) => `${p.attempts} / ${p.asked}`,
    },
    {
      key: 'act',
      title: t('act'),
      cell: (p) => (
        <span className="fw-row">
          <Button
            size="small"
            aria-label={`${t('notes')} ${p.order.id}`}
            onClick={() => setOpen(p.order.id)}
          >
            {t('notes')}
          </Button>
          {may && p.outcome === 'unknown' ? (
            <Button
              size="small"
              aria-label={`${t('ask')} ${p.order.id}`}
              loading={ask.isPending && ask.variables === p.order.id}
              onClick={() => ask.mutate(p.order.id)}
            >
              {t('ask')}
            </Button>
          ) : null}
        </span>
      ),
    },
  ];
  return (
    <Page title={t('payments')} lead={t('payments_lead')}>
      <PaymentSub />
      <Choice
        label={t('state')}
        value={show}
        onChange={setShow}
        options={[
          { value: '', text: t('any') },
          { value: 'unknown', text: t('outcome.unknown') },
          { value: 'failed', text: t('outcome.failed') },
          { value: 'settled', text: t('outcome.settled') },
          { value: 'disputed', text: t('disputed') },
        ]}
      />
      {ask.error ? <Problem error={ask.error} compact /> : null}
      <Panel title={t('payments')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('payments')}
              rows={rows}
              columns={columns}
              rowKey={(p) => p.order.id}
              empty={t('no_payments')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
      {open ? <Notes id={open} onClose={() => setOpen('')} /> : null}
    </Page>
  );
}

/** Everything that happened to a payment order. */
function Notes({ id, onClose }: { id: string; onClose(): void }) {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const payment = usePayment(id);
  return (
    <Modal open title={t('notes')} footer={null} onCancel={onClose}>
      <p>
        <code>{id}</code>
      </p>
      <Await query={payment} lines={3}>
        {(p) => (
          <ol className="receivable-past">
            {p.notes.map((n) => (
              <li key={n.seq}>
                <span className="fw-muted fw-num">{f.time(n.at)}</span>
                <span>
                  <b>{t(`note.${n.kind}`)}</b> {n.outcome ? t(`outcome.${n.outcome}`) : ''}{' '}
                  {n.detail}
                </span>
              </li>
            ))}
          </ol>
        )}
      </Await>
    </Modal>
  );
}
