import type { ReceivablePart } from '@furrow/shared/api/types';
import { Problem } from '@furrow/shared/ui/states';
import { Input, Modal } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { newKey, useAct } from './data';
import { fenOf } from './fen';
import type { ActKind } from './Owners';

const FIELDS: Record<ActKind, string[]> = {
  pledge: ['funder', 'ref', 'owed', 'note'],
  release: ['note'],
  file: ['registration_no'],
  freeze: ['note'],
};
const OPTIONAL: Record<ActKind, string[]> = {
  pledge: ['note'],
  release: ['note'],
  file: [],
  freeze: [],
};

/** Asks for what an act on a part needs, and does it once. */
export function ActDialog(props: {
  id: string;
  kind: ActKind;
  part: ReceivablePart;
  onClose(): void;
}) {
  const { t } = useTranslation('receivables');
  const { kind, part } = props;
  const act = useAct(props.id);
  const [key] = useState(newKey);
  const [values, setValues] = useState<Record<string, string>>(
    kind === 'pledge' ? { owed: String((part.remaining - part.paid) / 100) } : {},
  );
  const id = useId();
  const value = (name: string) => (values[name] ?? '').trim();
  const owed = fenOf(value('owed'));
  const ready =
    FIELDS[kind].every((name) => OPTIONAL[kind].includes(name) || value(name)) &&
    (kind !== 'pledge' || (owed ?? 0) > 0);
  const send = () => {
    const note = value('note');
    const base = { key, part_id: part.id };
    const more = note ? { note } : {};
    const done = { onSuccess: props.onClose };
    if (kind === 'pledge')
      act.mutate(
        {
          ...base,
          act: 'pledge',
          funder: value('funder'),
          ref: value('ref'),
          owed: owed ?? 0,
          ...more,
        },
        done,
      );
    else if (kind === 'file')
      act.mutate({ ...base, act: 'file', registration: value('registration_no') }, done);
    else if (kind === 'freeze') act.mutate({ ...base, act: 'freeze', note }, done);
    else act.mutate({ ...base, act: 'release', ...more }, done);
  };
  return (
    <Modal
      open
      title={t('act_on', { act: t(`act.${kind}`), number: part.number })}
      okText={t(`act.${kind}`)}
      okButtonProps={{ loading: act.isPending, disabled: !ready }}
      onOk={send}
      onCancel={props.onClose}
    >
      {FIELDS[kind].map((name) => (
        <p key={name}>
          <label htmlFor={`${id}${name}`}>{t(name)}</label>
          <Input
            id={`${id}${name}`}
            inputMode={name === 'owed' ? 'decimal' : undefined}
            maxLength={name === 'note' ? 500 : name === 'registration_no' ? 64 : 200}
            value={values[name] ?? ''}
            onChange={(e) => setValues({ ...values, [name]: e.target.value })}
          />
        </p>
      ))}
      {act.error ? <Problem error={act.error} compact /> : null}
    </Modal>
  );
}
