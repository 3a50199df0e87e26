import { FileDoneOutlined } from '@ant-design/icons';
import type { Fen, PurchaseOrder } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { sha256 } from '@furrow/shared/sha256';
import { Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { App, Button, Form, Input, Modal, Upload } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fenOf } from '../receivable/amount';
import { type ActKind, leftOf } from './acts';
import { useAct } from './data';

interface Fields {
  reason?: string;
  receipt?: string;
  amounts?: Record<string, string>;
}

const WITH_REASON: ActKind[] = ['decline', 'refund'];

/** Asks for what an act needs, does it, and says what the bank says about it. */
export function ActDialog(props: { order: PurchaseOrder; kind: ActKind; close(): void }) {
  const { t } = useTranslation('sale');
  const f = useFormats();
  const { message } = App.useApp();
  const { order: o, kind, close } = props;
  const act = useAct(o.id);
  const [form] = Form.useForm<Fields>();
  const [nothing, setNothing] = useState(false);
  const needed = [{ required: true, whitespace: true, message: t('needed') }];

  const send = (v: Fields) => {
    const lines = o.lines.flatMap((l) => {
      const amount = fenOf(v.amounts?.[l.nr] ?? '');
      return amount ? [{ nr: l.nr, amount }] : [];
    });
    setNothing(kind === 'refund' && lines.length === 0);
    if (kind === 'refund' && lines.length === 0) return;
    act.mutate(
      { kind, reason: v.reason?.trim(), receipt: v.receipt, lines },
      {
        onSuccess: () => {
          void message.success(t('done'));
          close();
        },
      },
    );
  };
  return (
    <Modal
      open
      title={t(`act.${kind}`)}
      okText={t(`act.${kind}`)}
      cancelText={t('back_off')}
      okButtonProps={{ danger: kind === 'decline' }}
      confirmLoading={act.isPending}
      onOk={() => form.submit()}
      onCancel={close}
    >
      <p>{t(`act_about.${kind}`, { buyer: o.user_name, amount: f.yuan(o.amount) })}</p>
      <Form<Fields> form={form} layout="vertical" requiredMark={false} onFinish={send}>
        {kind === 'deliver' ? (
          <Form.Item
            name="receipt"
            label={t('receipt')}
            extra={t('receipt_about')}
            rules={[{ required: true, message: t('receipt_needed') }]}
          >
            <Receipt />
          </Form.Item>
        ) : null}
        {kind === 'refund' ? <Amounts order={o} /> : null}
        {WITH_REASON.includes(kind) ? (
          <Form.Item name="reason" label={t('reason')} rules={needed}>
            <Input.TextArea rows={2} maxLength={500} />
          </Form.Item>
        ) : null}
      </Form>
      {nothing ? (
        <p role="alert" className="s-wrong">
          {t('no_amount')}
        </p>
      ) : null}
      {act.error ? <Problem compact error={act.error} /> : null}
    </Modal>
  );
}

/** What of each line is given back. */
function Amounts({ order: o }: { order: PurchaseOrder }) {
  const { t } = useTranslation('sale');
  const f = useFormats();
  const words = useWords();
  const within = (left: Fen) => ({
    validator: (_: unknown, text?: string) => {
      const fen = text ? fenOf(text) : 0;
      if (fen === undefined) return Promise.reject(new Error(t('not_amount')));
      return fen > left
        ? Promise.reject(new Error(t('too_much', { amount: f.yuan(left) })))
        : Promise.resolve();
    },
  });
  return o.lines
    .filter((l) => leftOf(l) > 0)
    .map((l) => (
      <Form.Item
        key={l.nr}
        name={['amounts', String(l.nr)]}
        label={t('refund_of', { goods: words.goods(l.goods) })}
        extra={t('left', { amount: f.yuan(leftOf(l)) })}
        rules={[within(leftOf(l))]}
      >
        <Input inputMode="decimal" autoComplete="off" />
      </Form.Item>
    ));
}

/** A file of which only the fingerprint is sent; the form gives it value and change. */
function Receipt(props: { id?: string; value?: string; onChange?(hash?: string): void }) {
  const { t } = useTranslation('sale');
  const [name, setName] = useState('');
  const [failed, setFailed] = useState(false);
  const read = async (file: File) => {
    try {
      const hash = await sha256(await file.arrayBuffer());
      setName(file.name);
      setFailed(false);
      props.onChange?.(hash);
    } catch {
      setFailed(true);
      props.onChange?.(undefined);
    }
  };
  return (
    <>
      <Upload
        id={props.id}
        accept="image/*,.pdf"
        maxCount={1}
        showUploadList={false}
        beforeUpload={(file) => {
          void read(file);
          return false;
        }}
      >
        <Button icon={<FileDoneOutlined />}>{t(name ? 'receipt_other' : 'receipt_choose')}</Button>
      </Upload>
      {failed ? (
        <p role="alert" className="s-wrong">
          {t('receipt_unread')}
        </p>
      ) : null}
      {props.value ? (
        <p className="s-hash">
          {name}
          <br />
          <code>{props.value}</code>
        </p>
      ) : null}
    </>
  );
}
