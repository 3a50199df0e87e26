import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import type { ReceivableLine, ReceivablePart } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { App, Button, Form, Input, Modal } from 'antd';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useSettled, useSupplierNames } from '../data';
import { fenOf, today, yuanOf } from './amount';
import { type Side, useAct } from './data';
import type { ActKind } from './tree';

/** What somebody wants to do, and with which part; without one, with the whole. */
export interface Wanted {
  kind: ActKind;
  part?: ReceivablePart;
}

interface Fields {
  amount?: string;
  amounts?: string[];
  to?: string;
  ref?: string;
  date?: string;
  note?: string;
}

const WITH_AMOUNT: ActKind[] = ['pay', 'transfer', 'ask', 'set-off'];
const WITH_NOTE: ActKind[] = ['pay', 'transfer', 'ask', 'set-off', 'cancel'];

/** Asks for what an act needs, does it, and says what the server says about it. */
export function ActDialog(props: {
  line: ReceivableLine;
  side: Side;
  wanted: Wanted;
  close(): void;
}) {
  const { t } = useTranslation('receivable');
  const { t: tu } = useTranslation('upload');
  const f = useFormats();
  const { message } = App.useApp();
  const { line, side, close } = props;
  const { kind, part } = props.wanted;
  const { receivable: r } = line;
  const act = useAct(side, r.id);
  const [form] = Form.useForm<Fields>();
  const most = kind === 'pay' ? line.outstanding : (part?.remaining ?? 0) - (part?.paid ?? 0);

  const send = (v: Fields) =>
    act.mutate(
      {
        kind,
        part_id: part?.id,
        amount: v.amount ? fenOf(v.amount) : undefined,
        amounts: v.amounts?.map((a) => fenOf(a) ?? 0),
        to: v.to?.trim(),
        ref: v.ref?.trim(),
        date: v.date || undefined,
        note: v.note?.trim() || undefined,
      },
      {
        onSuccess: () => {
          void message.success(t('done'));
          close();
        },
      },
    );
  const needed = [{ required: true, whitespace: true, message: t('needed') }];
  const money = {
    validator: (_: unknown, text?: string) => {
      const fen = text ? fenOf(text) : undefined;
      if (text && fen === undefined) return Promise.reject(new Error(t('not_amount')));
      if (fen !== undefined && fen > most)
        return Promise.reject(new Error(t('too_much', { amount: f.yuan(most) })));
      return Promise.resolve();
    },
  };
  return (
    <Modal
      open
      title={t(`act.${kind}`)}
      okText={t(`act.${kind}`)}
      cancelText={tu('no')}
      okButtonProps={{ danger: kind === 'cancel', loading: act.isPending }}
      onOk={() => form.submit()}
      onCancel={close}
    >
      <p>
        {t(`act_about.${kind}`, {
          number: part?.number ?? r.number,
          amount: f.yuan(part ? most : r.amount),
          creditor: line.names[r.creditor_id],
          obligor: line.names[r.obligor_id],
          due: f.date(r.due),
        })}
      </p>
      <Form<Fields>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{
          amount: WITH_AMOUNT.includes(kind) ? yuanOf(most) : undefined,
          amounts: kind === 'split' ? [''] : undefined,
          date: kind === 'pay' ? today() : undefined,
        }}
        onFinish={send}
      >
        {kind === 'transfer' ? <To rules={needed} /> : null}
        {WITH_AMOUNT.includes(kind) ? (
          <Form.Item name="amount" label={t('amount_yuan')} rules={[...needed, money]}>
            <Input inputMode="decimal" autoComplete="off" />
          </Form.Item>
        ) : null}
        {kind === 'split' ? <Amounts rules={[...needed, money]} /> : null}
        {kind === 'pay' ? (
          <>
            <Form.Item name="ref" label={t('ref')} rules={needed}>
              <Input autoComplete="off" maxLength={200} />
            </Form.Item>
            <Form.Item name="date" label={t('pay_date')} rules={needed}>
              <Input type="date" max={today()} />
            </Form.Item>
          </>
        ) : null}
        {WITH_NOTE.includes(kind) ? (
          <Form.Item name="note" label={t('note')}>
            <Input.TextArea rows={2} maxLength={500} />
          </Form.Item>
        ) : null}
      </Form>
      {act.error ? <Problem compact error={act.error} /> : null}
    </Modal>
  );
}

type Rules = React.ComponentProps<typeof Form.Item>['rules'];

/** The firm that gets a part, by its credit code; those that are known are offered. */
function To({ rules }: { rules: Rules }) {
  const { t } = useTranslation('receivable');
  const typed = Form.useWatch('to') as string | undefined;
  const known = useSupplierNames(useSettled(typed?.trim() ?? ''));
  const list = useId();
  return (
    <>
      <Form.Item name="to" label={t('to')} rules={rules}>
        <Input list={list} autoComplete="off" maxLength={64} />
      </Form.Item>
      <datalist id={list}>
        {(known.data ?? [])
          .filter((firm) => firm.uscc)
          .map((firm) => (
            <option key={firm.id} value={firm.uscc} label={firm.name} />
          ))}
      </datalist>
    </>
  );
}

function Amounts({ rules }: { rules: Rules }) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  return (
    <Form.List name="amounts">
      {(rows, { add, remove }) => (
        <>
          {rows.map(({ key, name }, i) => (
            <div className="r-pair" key={key}>
              <Form.Item name={name} label={t('new_part', { n: f.integer(i + 1) })} rules={rules}>
                <Input inputMode="decimal" autoComplete="off" />
              </Form.Item>
              {rows.length > 1 ? (
                <Button
                  className="r-remove"
                  icon={<DeleteOutlined />}
                  aria-label={t('remove_part', { n: f.integer(i + 1) })}
                  onClick={() => remove(name)}
                />
              ) : null}
            </div>
          ))}
          {rows.length < 100 ? (
            <Button icon={<PlusOutlined />} onClick={() => add('')}>
              {t('add_part')}
            </Button>
          ) : null}
        </>
      )}
    </Form.List>
  );
}
