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
import { useAmend, useEnrol, useSellerDeed, useSellers } from './data';
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
  const [enrolling, setEnrolling] = useState<PurchaseSeller | 'new'>();
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
        const button = (name: 'approve' | 'suspend' | 'reinstate' | 'amend', act: () => void) => (
          <Button
            size="small"
            aria-label={`${t(name)} ${s.name}`}
            loading={deed.isPending && deed.variables?.id === s.id}
            onClick={act}
          >
            {t(name)}
          </Button>
        );
        const next =
          s.state === 'enrolled' ? (
            button('suspend', () => setSuspending(s))
          ) : s.state === 'suspended' ? (
            button('reinstate', () => deed.mutate({ id: s.id, deed: 'reinstate' }))
          ) : s.changed_by === user.id ? (
            <span className="fw-muted">{t('second_waits')}</span>
          ) : (
            button('approve', () => deed.mutate({ id: s.id, deed: 'approve' }))
          );
        return (
          <span className="fw-row">
            {next}
            {button('amend', () => setEnrolling(s))}
          </span>
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
          <Button type="primary" onClick={() => setEnrolling('new')}>
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
      {enrolling ? (
        <EnrolDialog
          {...(enrolling === 'new' ? {} : { seller: enrolling })}
          onClose={() => setEnrolling(undefined)}
        />
      ) : null}
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

/** Asks for the terms of a new seller, or for others of one that is known. */
function EnrolDialog({ seller, onClose }: { seller?: PurchaseSeller; onClose(): void }) {
  const { t } = useTranslation('purchase');
  const id = useId();
  const enrol = useEnrol();
  const amend = useAmend(seller?.id ?? '');
  const run = seller ? amend : enrol;
  const [firm, setFirm] = useState(seller?.firm_id ?? '');
  const [categories, setCategories] = useState<string[]>(seller?.categories ?? []);
  const [values, setValues] = useState<Record<string, string>>({
    regions: seller?.regions.join(' ') ?? '',
    bank: seller?.bank ?? '',
    account: seller?.account ?? '',
    from: seller?.from ?? dayOf(new Date()),
    to: seller?.to ?? dayOf(new Date(Date.now() + 365 * 86_400_000)),
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
      title={seller ? `${t('amend')} · ${seller.name}` : t('enrol')}
      okText={t('propose')}
      okButtonProps={{ loading: run.isPending, disabled: !ready }}
      onOk={() => {
        const terms = {
          categories,
          ...(regions.length ? { regions } : {}),
          account: value('account'),
          bank: value('bank'),
          from: value('from'),
          to: value('to'),
        };
        if (seller) amend.mutate(terms, { onSuccess: onClose });
        else enrol.mutate({ firm_id: firm, ...terms }, { onSuccess: onClose });
      }}
      onCancel={onClose}
    >
      <div className="book-form">
        <p>{t(seller ? 'amend_lead' : 'enrol_lead')}</p>
        {seller ? null : (
          <p>
            <FirmSelect label={t('seller')} value={firm} onChange={setFirm} />
          </p>
        )}
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
      {run.error ? <Problem error={run.error} compact /> : null}
    </Modal>
  );
}
