import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Button, Form, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { usePayables, useSettled, useSupplierNames } from '../data';
import { fenOf, today, yuanOf } from './amount';
import { usePropose } from './data';
import { Picker } from './Picker';

interface Fields {
  creditor: string;
  amount: string;
  due?: string;
  documents?: { number: string; amount?: string }[];
  note?: string;
}

/** Draws up one receivable: to whom, on which documents, how much and until when. */
export function Propose() {
  const { t } = useTranslation('receivable');
  useTitle(t('propose.title'));
  return (
    <>
      <p>
        <Link to="/receivables">{t('owed.back')}</Link>
      </p>
      <h1>{t('propose.title')}</h1>
      <p className="fw-muted a-lead">{t('propose.intro')}</p>
      <Sheet />
    </>
  );
}

function Sheet() {
  const { t } = useTranslation('receivable');
  const navigate = useNavigate();
  const propose = usePropose();
  const [form] = Form.useForm<Fields>();
  const [creditor, setCreditor] = useState<string>();
  const [chosen, setChosen] = useState<string[]>([]);
  const [byHand, setByHand] = useState(false);
  const [missing, setMissing] = useState(false);
  const payables = usePayables(creditor);
  const written = byHand || payables.data?.length === 0;
  const needed = [{ required: true, whitespace: true, message: t('needed') }];
  const money = {
    validator: (_: unknown, text?: string) =>
      !text || fenOf(text) ? Promise.resolve() : Promise.reject(new Error(t('not_amount'))),
  };
  const choose = (ids: string[]) => {
    setChosen(ids);
    setMissing(false);
    const picked = (payables.data ?? []).filter((p) => ids.includes(p.document_id));
    const due = picked.flatMap((p) => p.due ?? []).sort()[0];
    form.setFieldsValue({
      amount: picked.length ? yuanOf(picked.reduce((sum, p) => sum + p.free, 0)) : '',
      due: due ?? '',
    });
  };
  const send = (v: Fields) => {
    if (!written && chosen.length === 0) return setMissing(true);
    return propose.mutate(
      {
        creditor_id: v.creditor,
        amount: fenOf(v.amount) ?? 0,
        due: v.due || undefined,
        documents: written
          ? (v.documents ?? []).map((d) => ({
              number: d.number.trim(),
              amount: d.amount ? fenOf(d.amount) : undefined,
            }))
          : chosen.map((document_id) => ({ document_id })),
        note: v.note?.trim() || undefined,
      },
      { onSuccess: (line) => navigate(`/receivables/${line.receivable.id}`) },
    );
  };
  return (
    <Form<Fields>
      form={form}
      className="r-form"
      layout="vertical"
      requiredMark={false}
      initialValues={{ documents: [{ number: '' }] }}
      onFinish={send}
      onFinishFailed={() => setMissing(!written && chosen.length === 0)}
      scrollToFirstError
    >
      <Form.Item name="creditor" label={t('creditor')} rules={needed}>
        <SupplierSelect
          onChange={(id) => {
            setCreditor(id);
            choose([]);
          }}
        />
      </Form.Item>
      <fieldset className="r-documents">
        <legend>{t('documents')}</legend>
        {written ? (
          <ByHand none={payables.data?.length === 0} rules={needed} money={money} />
        ) : !creditor ? (
          <p className="fw-muted">{t('propose.pick_first')}</p>
        ) : (
          <>
            <p className="fw-muted">{t('propose.pick_about')}</p>
            <Await query={payables} lines={3}>
              {(list) => <Picker of={list} chosen={chosen} choose={choose} missing={missing} />}
            </Await>
          </>
        )}
        {payables.data?.length ? (
          <Button type="link" onClick={() => setByHand(!byHand)}>
            {t(byHand ? 'propose.by_list' : 'propose.by_hand')}
          </Button>
        ) : null}
      </fieldset>
      <div className="r-pair">
        <Form.Item name="amount" label={t('amount_yuan')} rules={[...needed, money]}>
          <Input inputMode="decimal" autoComplete="off" />
        </Form.Item>
        <Form.Item name="due" label={t('propose.due')} extra={t('propose.due_about')}>
          <Input type="date" min={today()} />
        </Form.Item>
      </div>
      <Form.Item name="note" label={t('note')} extra={t('propose.note_about')}>
        <Input.TextArea rows={2} maxLength={500} />
      </Form.Item>
      {propose.error ? <Problem compact error={propose.error} /> : null}
      <Button type="primary" size="large" htmlType="submit" loading={propose.isPending}>
        {t('propose.send')}
      </Button>
    </Form>
  );
}

/** Finds a supplier by what is typed; the form gives it its id, value and change. */
function SupplierSelect(props: { id?: string; value?: string; onChange?(id: string): void }) {
  const { t } = useTranslation('receivable');
  const [typed, setTyped] = useState('');
  const names = useSupplierNames(useSettled(typed.trim()));
  return (
    <Select
      {...props}
      showSearch={{ filterOption: false, onSearch: setTyped }}
      placeholder={t('propose.choose')}
      loading={names.isFetching}
      notFoundContent={names.isPending ? null : t('propose.no_match')}
      options={(names.data ?? []).map((s) => ({ value: s.id, label: `${s.name} ${s.uscc}` }))}
    />
  );
}

type Rules = NonNullable<React.ComponentProps<typeof Form.Item>['rules']>;

/** Numbers of documents as somebody writes them, each with the part of it that is used. */
function ByHand(props: { none: boolean; rules: Rules; money: Rules[number] }) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  return (
    <>
      <p className="fw-muted">{t(props.none ? 'propose.pick_none' : 'propose.documents_about')}</p>
      <Form.List name="documents">
        {(rows, { add, remove }) => (
          <>
            {rows.map(({ key, name }, i) => (
              <div className="r-pair" key={key}>
                <Form.Item
                  name={[name, 'number']}
                  label={t('propose.document', { n: f.integer(i + 1) })}
                  rules={props.rules}
                >
                  <Input autoComplete="off" maxLength={200} />
                </Form.Item>
                <Form.Item
                  name={[name, 'amount']}
                  label={t('propose.document_amount')}
                  rules={[props.money]}
                >
                  <Input
                    inputMode="decimal"
                    autoComplete="off"
                    placeholder={t('propose.as_needed')}
                  />
                </Form.Item>
                {rows.length > 1 ? (
                  <Button
                    className="r-remove"
                    icon={<DeleteOutlined />}
                    aria-label={t('propose.remove', { n: f.integer(i + 1) })}
                    onClick={() => remove(name)}
                  />
                ) : null}
              </div>
            ))}
            {rows.length < 100 ? (
              <Button icon={<PlusOutlined />} onClick={() => add({ number: '' })}>
                {t('propose.add')}
              </Button>
            ) : null}
          </>
        )}
      </Form.List>
    </>
  );
}
