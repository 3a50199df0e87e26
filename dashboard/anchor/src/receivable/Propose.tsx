import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty, Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { Button, Form, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { type Supplier, useSuppliers } from '../data';
import { fenOf, today } from './amount';
import { usePropose } from './data';

interface Fields {
  creditor: string;
  amount: string;
  due?: string;
  documents: { number: string; amount?: string }[];
  note?: string;
}

/** Draws up one receivable: to whom, how much, until when, and on which documents. */
export function Propose() {
  const { t } = useTranslation('receivable');
  const suppliers = useSuppliers();
  useTitle(t('propose.title'));
  return (
    <>
      <p>
        <Link to="/receivables">{t('owed.back')}</Link>
      </p>
      <h1>{t('propose.title')}</h1>
      <p className="fw-muted a-lead">{t('propose.intro')}</p>
      <Await query={suppliers} lines={6}>
        {(page) =>
          page.items?.length ? (
            <Sheet suppliers={page.items} />
          ) : (
            <Empty text={t('propose.no_supplier')}>
              <Link className="fw-button fw-primary" to="/">
                {t('portal:to_upload')}
              </Link>
            </Empty>
          )
        }
      </Await>
    </>
  );
}

function Sheet({ suppliers }: { suppliers: Supplier[] }) {
  const { t } = useTranslation('receivable');
  const f = useFormats();
  const navigate = useNavigate();
  const propose = usePropose();
  const needed = [{ required: true, whitespace: true, message: t('needed') }];
  const money = {
    validator: (_: unknown, text?: string) =>
      !text || fenOf(text) ? Promise.resolve() : Promise.reject(new Error(t('not_amount'))),
  };
  const send = (v: Fields) =>
    propose.mutate(
      {
        creditor_id: v.creditor,
        amount: fenOf(v.amount) ?? 0,
        due: v.due || undefined,
        documents: v.documents.map((d) => ({
          number: d.number.trim(),
          amount: d.amount ? fenOf(d.amount) : undefined,
        })),
        note: v.note?.trim() || undefined,
      },
      { onSuccess: (line) => navigate(`/receivables/${line.receivable.id}`) },
    );
  return (
    <Form<Fields>
      className="r-form"
      layout="vertical"
      requiredMark={false}
      initialValues={{ documents: [{ number: '' }] }}
      onFinish={send}
      scrollToFirstError
    >
      <Form.Item name="creditor" label={t('creditor')} rules={needed}>
        <Select
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={t('propose.choose')}
          options={suppliers.map((s) => ({
            value: s.firm.id,
            label: `${s.firm.name} ${s.firm.uscc}`,
          }))}
        />
      </Form.Item>
      <div className="r-pair">
        <Form.Item name="amount" label={t('amount_yuan')} rules={[...needed, money]}>
          <Input inputMode="decimal" autoComplete="off" />
        </Form.Item>
        <Form.Item name="due" label={t('propose.due')} extra={t('propose.due_about')}>
          <Input type="date" min={today()} />
        </Form.Item>
      </div>
      <fieldset className="r-documents">
        <legend>{t('documents')}</legend>
        <p className="fw-muted">{t('propose.documents_about')}</p>
        <Form.List name="documents">
          {(rows, { add, remove }) => (
            <>
              {rows.map(({ key, name }, i) => (
                <div className="r-pair" key={key}>
                  <Form.Item
                    name={[name, 'number']}
                    label={t('propose.document', { n: f.integer(i + 1) })}
                    rules={needed}
                  >
                    <Input autoComplete="off" maxLength={200} />
                  </Form.Item>
                  <Form.Item
                    name={[name, 'amount']}
                    label={t('propose.document_amount')}
                    rules={[money]}
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
      </fieldset>
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
