import type { Asset, OfficerCollateralAct, Picture } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { Modal } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fenOf } from '../receivable/fen';
import { type Act, newKey, useAct, usePlan } from './data';
import '../ledger/book.css';

const KINDS = ['crop', 'animal', 'receivable', 'surety'] as const;
type Kind = (typeof KINDS)[number];

/** Asks for what an act needs, says at once whether things may leave, and does it once. */
export function ActDialog(props: { act: Act; picture: Picture; onClose(): void }) {
  const { t } = useTranslation('collateral');
  const { act, picture } = props;
  const { pool } = picture;
  const run = useAct(pool.application_id);
  const [key] = useState(newKey);
  const [chosen, setChosen] = useState<string[]>([]);
  const [values, setValues] = useState<Record<string, string>>({ kind: 'animal' });
  const text = (name: string) => (values[name] ?? '').trim();
  const set = (name: string, value: string) => setValues({ ...values, [name]: value });
  const fen = (name: string) => fenOf(text(name));
  const leaves = act === 'release' || act === 'substitute';
  const takes = act === 'pledge' || act === 'substitute';
  const surety = text('kind') === 'surety';
  const byHand = act === 'value' && chosen.length > 0;
  const ready =
    (!leaves || chosen.length > 0) &&
    (!takes || (text('ref') && (!surety || (fen('amount') && text('label'))))) &&
    (!byHand || (fen('low') && fen('middle') && fen('high') && text('value_source')));
  const done = run.data;

  const sent = (): OfficerCollateralAct => ({
    ...(leaves ? { assets: chosen } : {}),
    ...(takes
      ? {
          take: [
            {
              kind: text('kind') as Kind,
              ref: text('ref'),
              ...(text('parent') ? { parent: text('parent') } : {}),
              ...(surety ? { amount: fen('amount') ?? 0, label: text('label') } : {}),
            },
          ],
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
        {act === 'value' ? <p className="fw-muted">{t('value_lead')}</p> : null}
        {act !== 'pledge' ? (
          <Chooser
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
                <select id={id} value={text('kind')} onChange={(e) => set('kind', e.target.value)}>
                  {KINDS.map((k) => (
                    <option key={k} value={k}>
                      {t(`kind.${k}`)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <TextField
              label={t(`ref.${text('kind')}`)}
              value={values.ref}
              onChange={(v) => set('ref', v)}
            />
            {['animal', 'receivable'].includes(text('kind')) ? (
              <TextField
                label={t(`parent.${text('kind')}`)}
                value={values.parent}
                onChange={(v) => set('parent', v)}
              />
            ) : null}
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
            ) : null}
          </>
        ) : null}
        {byHand
          ? ['low', 'middle', 'high', 'value_source'].map((name) => (
              <TextField
                key={name}
                label={t(name === 'value_source' ? name : `${name}_yuan`)}
                value={values[name]}
                onChange={(v) => set(name, v)}
              />
            ))
          : null}
        <TextField label={t('note')} value={values.note} onChange={(v) => set('note', v)} />
      </div>
      {run.error ? <Problem error={run.error} compact /> : null}
    </Modal>
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
  onChange(value: string): void;
}) {
  return (
    <Field label={props.label}>
      {(id) => (
        <input
          id={id}
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
      <legend>{t(props.one ? 'choose_one' : 'choose')}</legend>
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
