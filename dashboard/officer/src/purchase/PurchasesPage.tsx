import type { PurchaseOrder } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Column, DataTable } from '../pieces/DataTable';
import { More } from '../pieces/More';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { usePurchases } from './data';
import { PurchaseSub } from './Subs';
import { stateTone } from './tones';

/** Orders of goods that directed money pays for. */
export function PurchasesPage() {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const w = useWords();
  const list = usePurchases();
  const columns: Column<PurchaseOrder>[] = [
    { key: 'at', title: t('at'), cell: (o) => f.time(o.created_at) },
    { key: 'buyer', title: t('buyer'), cell: (o) => o.user_name },
    { key: 'seller', title: t('seller'), cell: (o) => o.payee.name },
    {
      key: 'lines',
      title: t('lines'),
      cell: (o) =>
        o.lines
          .map((l) => `${t(`category.${l.category}`, { defaultValue: l.category })} ${l.quantity}`)
          .join(' · '),
    },
    {
      key: 'amount',
      title: t('amount'),
      number: true,
      sort: (o) => o.amount,
      cell: (o) => f.yuan(o.amount),
    },
    {
      key: 'refunded',
      title: t('refunded'),
      number: true,
      cell: (o) => (o.refunded ? f.yuan(o.refunded) : ''),
    },
    {
      key: 'state',
      title: t('state'),
      cell: (o) => (
        <>
          <Pill tone={stateTone(o.state)}>{t(`order.${o.state}`)}</Pill>{' '}
          {o.reason && o.state === 'confirmed' ? w.refusal(o.reason) : o.reason}
        </>
      ),
    },
    {
      key: 'trace',
      title: t('trace'),
      cell: (o) =>
        o.loan_id ? (
          <Link to={`/loans/${encodeURIComponent(o.loan_id)}/trace`}>{t('follow')}</Link>
        ) : null,
    },
  ];
  return (
    <Page title={t('purchases')} lead={t('purchases_lead')}>
      <PurchaseSub />
      <Panel title={t('purchases')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('purchases')}
              rows={rows}
              columns={columns}
              rowKey={(o) => o.id}
              empty={t('no_purchases')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
    </Page>
  );
}
