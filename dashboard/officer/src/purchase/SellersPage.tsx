import type { PurchaseSeller } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Modal } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { FirmSelect } from '../chain/FirmSelect';
import { dayOf } from '../fund/period';
import { type Column, DataTable } from '../pieces/DataTable';
import { Choice, useParam } from '../pieces/Filter';
import { More } from '../pieces/More';
import { NoteDialog } from '../pieces/NoteDialog';
import { Page, Panel } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import { useMay } from '../pieces/useMay';
import { useEnrol, useSellerDeed, useSellers } from './data';
import { PurchaseSub } from './Subs';
import { stateTone } from './tones';

const STATES = ['proposed', 'enrolled', 'suspended'];
const CATEGORIES = [
  'seed',
  'seedling',
  'fertiliser',
  'pesticide',
  'film',
  'machine_work',
  'feed',
  'vaccine',
  'breeding_stock',
  'tractor',
  'harvester',
  'drone',
  'anchor_goods',
];

/** Sellers that directed money may go to: proposed by one officer, approved by another. */
export function SellersPage() {
  const { t } = useTranslation('purchase');
  const f = useFormats();
  const may = useMay();
  const { user } = useSession();
  const [state, setState] = useParam('state');
  const list = useSellers(state);
  const deed = useSellerDeed();
  const [enrolling, setEnrolling] = useState(false);
  const [suspending, setSuspending] = useState<PurchaseSeller>();
  const columns: Column<PurchaseSeller>[] = [
    {
      key: 'name',
      title: t('seller'),
      cell: (s) => (
        <>
          <Link to={`/firms/${encodeURIComponent(s.firm_id)}`}>{s.name}</Link>
          <br />
          <small className="fw-muted">{s.uscc}</small>
        </>
      ),
    },
    {
      key: 'categories',
      title: t('categories'),
      cell: (s) => s.categories.map((c) => t(`category.${c}`, { defaultValue: c })).join(' · '),
    },
    {
      key: 'regions',
      title: t('regions'),
      cell: (s) => (s.regions.length ? s.regions.join(' · ') : t('everywhere')),
    },
    {
      key: 'time',
      title: t('valid'),
      cell: (s) => (
        <span className="nowrap">
          {f.date(s.from)} – {f.date(s.to)}
        </span>
      ),
    },
    { key: 'account', title: t('account'), cell: (s) => `${s.bank} ${s.account}` },
    {
      key: 'state',
      title: t('state'),
      cell: (s) => (
        <>
          <Pill tone={stateTone(s.state)}>{t(`seller_state.${s.state}`)}</Pill> {s.reason}
        </>
      ),
    },
    {
      key: 'act',
      title: t('act'),
      cell: (s) => {
        if (!may) return null;
        const button = (name: 'approve' | 'suspend' | 'reinstate', act: () => void) => (
          <Button
            size="small"
            aria-label={`${t(name)} ${s.name}`}
            loading={deed.isPending && deed.variables?.id === s.id}
            onClick={act}
          >
            {t(name)}
          </Button>
        );
        if (s.state === 'enrolled') return button('suspend', () => setSuspending(s));
        if (s.state === 'suspended')
          return button('reinstate', () => deed.mutate({ id: s.id, deed: 'reinstate' }));
        return s.changed_by === user.id ? (
          <span className="fw-muted">{t('second_waits')}</span>
        ) : (
          button('approve', () => deed.mutate({ id: s.id, deed: 'approve' }))
        );
      },
    },
  ];
  return (
    <Page
      title={t('sellers')}
      lead={t('sellers_lead')}
      actions={
        may ? (
          <Button type="primary" onClick={() => setEnrolling(true)}>
            {t('enrol')}
          </Button>
        ) : null
      }
    >
      <PurchaseSub />
      <Choice
        label={t('state')}
        value={state}
        onChange={setState}
        options={[
          { value: '', text: t('any') },
          ...STATES.map((s) => ({ value: s, text: t(`seller_state.${s}`) })),
        ]}
      />
      {deed.error && !suspending ? <Problem error={deed.error} compact /> : null}
      <Panel title={t('sellers')} flush>
        <Await query={list}>
          {(rows) => (
            <DataTable
              label={t('sellers')}
              rows={rows}
              columns={columns}
              rowKey={(s) => s.id}
              empty={t('no_sellers')}
            />
          )}
        </Await>
      </Panel>
      <More list={list} />
      {enrolling ? <EnrolDialog onClose={() => setEnrolling(false)} /> : null}
      {suspending ? (
        <NoteDialog
          title={`${t('suspend')} · ${suspending.name}`}
          label={t('why')}
          ok={t('suspend')}
          danger
          pending={deed.isPending}
          error={deed.error}
          onOk={(reason) =>
            deed.mutate(
              { id: suspending.id, deed: 'suspend', reason },
              { onSuccess: () => setSuspending(undefined) },
            )
          }
          onCancel={() => setSuspending(undefined)}
        />
      ) : null}
    </Page>
  );
}

function EnrolDialog({ onClose }: { onClose(): void }) {
  const { t } = useTranslation('purchase');
  const id = useId();
  const enrol = useEnrol();
  const [firm, setFirm] = useState('');
  const [categories, setCategories] = useState<string[]>([]);
  const [values, setValues] = useState<Record<string, string>>({
    from: dayOf(new Date()),
    to: dayOf(new Date(Date.now() + 365 * 86_400_000)),
  });
  const value = (name: string) => (values[name] ?? '').trim();
  const ready =
    firm && categories.length && ['account', 'bank', 'from', 'to'].every((name) => value(name));
  const regions = value('regions')
    .split(/[\s,，、]+/)
    .filter(Boolean);
  return (
    <Modal
      open
      title={t('enrol')}
      okText={t('propose')}
      okButtonProps={{ loading: enrol.isPending, disabled: !ready }}
      onOk={() =>
        enrol.mutate(
          {
            firm_id: firm,
            categories,
            ...(regions.length ? { regions } : {}),
            account: value('account'),
            bank: value('bank'),
            from: value('from'),
            to: value('to'),
          },
          { onSuccess: onClose },
        )
      }
      onCancel={onClose}
    >
      <div className="book-form">
        <p>{t('enrol_lead')}</p>
        <p>
          <FirmSelect label={t('seller')} value={firm} onChange={setFirm} />
        </p>
        <fieldset>
          <legend>{t('categories')}</legend>
          {CATEGORIES.map((c) => (
            <label key={c}>
              <input
                type="checkbox"
                checked={categories.includes(c)}
                onChange={() =>
                  setCategories(
                    categories.includes(c) ? categories.filter((x) => x !== c) : [...categories, c],
                  )
                }
              />
              {t(`category.${c}`)}
            </label>
          ))}
        </fieldset>
        {(['regions', 'bank', 'account', 'from', 'to'] as const).map((name) => (
          <p key={name}>
            <label htmlFor={id + name}>{t(`field.${name}`)}</label>
            <input
              id={id + name}
              type={name === 'from' || name === 'to' ? 'date' : 'text'}
              maxLength={200}
              value={values[name] ?? ''}
              onChange={(e) => setValues({ ...values, [name]: e.target.value })}
            />
          </p>
        ))}
      </div>
      {enrol.error ? <Problem error={enrol.error} compact /> : null}
    </Modal>
  );
}
