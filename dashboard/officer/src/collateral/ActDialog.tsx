import type {
  Asset,
  CollateralNamed,
  OfficerCollateralAct,
  Picture,
} from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { Modal, Select } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fenOf } from '../receivable/fen';
import { type Act, newKey, useAct, useOffers, usePlan } from './data';
import '../ledger/book.css';

const KINDS = ['crop', 'animal', 'receivable', 'surety'] as const;
type Kind = (typeof KINDS)[number];

/** Acts by what they ask for: things that leave, things that come in, and fields. */
const LEAVES: Act[] = ['release', 'substitute', 'sale', 'realise', 'loss'];
const TAKES: Act[] = ['pledge', 'substitute'];
const FIELDS: Partial<Record<Act, string[]>> = {
  sale: ['gross', 'payer', 'on'],
  realise: ['gross', 'costs', 'payer', 'on'],
  loss: ['on'],
  file: ['number', 'filed_on', 'until'],
};
const DATES = ['on', 'filed_on', 'until'];
const OPTIONAL = ['costs', 'on'];

/** Asks for what an act needs, says at once whether things may leave, and does it once. */
export function ActDialog(props: { act: Act; picture: Picture; onClose(): void }) {
  const { t } = useTranslation('collateral');
  const { act, picture } = props;
  const { pool } = picture;
  const run = useAct(pool.application_id);
  const [key] = useState(newKey);
  const [chosen, setChosen] = useState<string[]>([]);
  const [taken, setTaken] = useState<CollateralNamed[]>([]);
  const [values, setValues] = useState<Record<string, string>>({ kind: 'animal' });
  const text = (name: string) => (values[name] ?? '').trim();
  const set = (name: string, value: string) => setValues({ ...values, [name]: value });
  const fen = (name: string) => fenOf(text(name));
  const leaves = LEAVES.includes(act);
  const takes = TAKES.includes(act);
  const kind = text('kind') as Kind;
  const surety = kind === 'surety';
  const byHand = act === 'value' && chosen.length > 0;
  const fields = FIELDS[act] ?? [];
  const asked = byHand ? ['low', 'middle', 'high', 'value_source'] : fields;
  const amounts = ['low', 'middle', 'high', 'gross', 'costs'];
  const ready =
    (!leaves || chosen.length > 0) &&
    (!takes || (surety ? fen('amount') && text('label') : taken.length > 0)) &&
    (act !== 'loss' || text('note')) &&
    asked.every((name) =>
      text(name) ? !amounts.includes(name) || fen(name) : OPTIONAL.includes(name),
    );
  const done = run.data;

  const sent = (): OfficerCollateralAct => ({
    ...(leaves ? { assets: chosen } : {}),
    ...(takes
      ? {
          take: surety
            ? [{ kind, ref: text('label'), label: text('label'), amount: fen('amount') ?? 0 }]
            : taken.map(({ ref, parent }) => ({ kind, ref, ...(parent ? { parent } : {}) })),
        }
      : {}),
    ...(byHand
      ? {
          values: chosen.map((asset_id) => ({
            asset_id,
            low: fen('low') ?? 0,
            middle: fen('middle') ?? 0,
            high: fen('high') ?? 0,
            source: text('value_source'),
          })),
        }
      : {}),
    ...(act === 'file'
      ? { filing: { number: text('number'), on: text('filed_on'), until: text('until') } }
      : {}),
    ...(fen('gross') ? { gross: fen('gross') ?? 0 } : {}),
    ...(fen('costs') ? { costs: fen('costs') ?? 0 } : {}),
    ...(text('payer') ? { payer: text('payer') } : {}),
    ...(text('on') ? { on: text('on') } : {}),
    ...(text('note') ? { note: text('note') } : {}),
  });

  if (done)
    return (
      <Modal open title={t(`act.${act}`)} footer={null} onCancel={props.onClose}>
        <p role="status">
          {done.proposal?.state === 'open' ? t('proposed') : t('done', { act: t(`act.${act}`) })}
        </p>
      </Modal>
    );
  return (
    <Modal
      open
      title={t(`act.${act}`)}
      okText={t(`act.${act}`)}
      okButtonProps={{ loading: run.isPending, disabled: !ready }}
      onOk={() => run.mutate({ act, key, sent: sent() })}
      onCancel={props.onClose}
    >
      <div className="book-form">
        {act === 'release' || act === 'pledge' || act === 'substitute' ? null : (
          <p className="fw-muted">{t(`lead_of.${act}`)}</p>
        )}
        {act !== 'pledge' && act !== 'file' ? (
          <Chooser
            title={t(`choose.${act}`)}
            assets={pool.assets.filter((a) => a.status === 'held')}
            one={act === 'value'}
            chosen={chosen}
            onChange={setChosen}
          />
        ) : null}
        {act === 'release' ? <PlanAnswer id={pool.application_id} chosen={chosen} /> : null}
        {takes ? (
          <>
            <Field label={t('kind_column')}>
              {(id) => (
                <select
                  id={id}
                  value={kind}
                  onChange={(e) => {
                    set('kind', e.target.value);
                    setTaken([]);
                  }}
                >
                  {KINDS.map((k) => (
                    <option key={k} value={k}>
                      {t(`kind.${k}`)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            {surety ? (
              <>
                <TextField
                  label={t('label')}
                  value={values.label}
                  onChange={(v) => set('label', v)}
                />
                <TextField
                  label={t('amount')}
                  value={values.amount}
                  onChange={(v) => set('amount', v)}
                />
              </>
            ) : (
              <Offers
                key={kind}
                id={pool.application_id}
                kind={kind}
                taken={taken}
                onChange={setTaken}
              />
            )}
          </>
        ) : null}
        {asked.map((name) => (
          <TextField
            key={name}
            label={t(`field.${name}`)}
            date={DATES.includes(name)}
            value={values[name]}
            onChange={(v) => set(name, v)}
          />
        ))}
        <TextField
          label={t(act === 'loss' ? 'what_happened' : 'note')}
          value={values.note}
          onChange={(v) => set('note', v)}
        />
      </div>
      {run.error ? <Problem error={run.error} compact /> : null}
    </Modal>
  );
}

/** What the borrower has of a kind, looked for by name or code. */
function Offers(props: {
  id: string;
  kind: Kind;
  taken: CollateralNamed[];
  onChange(taken: CollateralNamed[]): void;
}) {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const offers = useOffers(props.id, props.kind);
  const label = t(`offered.${props.kind}`);
  if (offers.error) return <Problem error={offers.error} compact />;
  return (
    <p>
      <span>{label}</span>
      <Select
        mode="multiple"
        aria-label={label}
        className="firm-select"
        placeholder={t('offered.find')}
        loading={offers.isPending}
        notFoundContent={offers.isPending ? null : t('offered.none')}
        showSearch={{ optionFilterProp: 'label' }}
        value={props.taken.map((n) => n.ref)}
        options={(offers.data ?? []).map((n) => ({
          value: n.ref,
          label: [n.label, n.amount ? f.yuan(n.amount) : ''].filter(Boolean).join(' · '),
        }))}
        onChange={(refs: string[]) =>
          props.onChange((offers.data ?? []).filter((n) => refs.includes(n.ref)))
        }
      />
    </p>
  );
}

function Field(props: { label: string; children(id: string): React.ReactNode }) {
  const id = useId();
  return (
    <p>
      <label htmlFor={id}>{props.label}</label>
      {props.children(id)}
    </p>
  );
}

function TextField(props: {
  label: string;
  value: string | undefined;
  date?: boolean;
  onChange(value: string): void;
}) {
  return (
    <Field label={props.label}>
      {(id) => (
        <input
          id={id}
          type={props.date ? 'date' : 'text'}
          maxLength={200}
          value={props.value ?? ''}
          onChange={(e) => props.onChange(e.target.value)}
        />
      )}
    </Field>
  );
}

const SHOWN = 100;

/** Things of the pool to choose from, by name. */
function Chooser(props: {
  title: string;
  assets: Asset[];
  one: boolean;
  chosen: string[];
  onChange(chosen: string[]): void;
}) {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const { chosen } = props;
  const turn = (id: string) =>
    props.onChange(
      chosen.includes(id) ? chosen.filter((x) => x !== id) : props.one ? [id] : [...chosen, id],
    );
  return (
    <fieldset style={{ maxHeight: 220, overflow: 'auto' }}>
      <legend>{props.title}</legend>
      {props.assets.slice(0, SHOWN).map((a) => (
        <div key={a.id}>
          <label>
            <input type="checkbox" checked={chosen.includes(a.id)} onChange={() => turn(a.id)} />
            {a.label} · {a.value.known ? f.yuan(a.value.low) : t('unknown')}
          </label>
        </div>
      ))}
      {props.assets.length > SHOWN ? (
        <p className="fw-muted">{t('first_shown', { count: SHOWN })}</p>
      ) : null}
    </fieldset>
  );
}

/** Whether what is chosen may leave now, or what must be repaid first. */
function PlanAnswer({ id, chosen }: { id: string; chosen: string[] }) {
  const { t } = useTranslation('collateral');
  const f = useFormats();
  const plan = usePlan(id, chosen, 0);
  if (!chosen.length) return <p className="fw-muted">{t('plan_lead')}</p>;
  if (plan.error) return <Problem error={plan.error} compact />;
  if (!plan.data) return null;
  const { first = 0, why } = plan.data;
  const free = first === 0 && !why;
  return (
    <div className="book-verdict" data-sound={free} role="status" style={{ marginBottom: 10 }}>
      <strong>{free ? t('leaves_now') : t('not_yet')}</strong>
      {first > 0 ? <span>{t('repay_first', { amount: f.yuan(first) })}</span> : null}
      {why ? <span>{t(`obstacle.${why.replace('.', '_')}`, { defaultValue: why })}</span> : null}
    </div>
  );
}
