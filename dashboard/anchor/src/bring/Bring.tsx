import type { Catalogue, Product } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { currentLanguage } from '@furrow/shared/i18n';
import { Await, Empty, Problem } from '@furrow/shared/ui/states';
import { useTitle } from '@furrow/shared/ui/useTitle';
import { useCatalogue, useWords } from '@furrow/shared/words';
import { Alert, Button, Checkbox, Form, Input, Radio, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useSettled } from '../data';
import { fenOf, today } from '../receivable/amount';
import { onPaper, partsOf, type Side, useBring, usePartnerNames } from './data';

interface Fields {
  side: Side;
  firm: string;
  product: string;
  amount: string;
  term: number;
  purpose?: string;
  paper: 'signed' | 'later';
  proof?: string;
  day?: string;
  apart?: string[];
}

/** Brings one supplier or dealer: with its consent on paper, or for it to answer itself. */
export function Bring() {
  const { t } = useTranslation('bring');
  const catalogue = useCatalogue();
  useTitle(t('title'));
  return (
    <>
      <div className="a-line">
        <h1>{t('title')}</h1>
        <Link className="fw-button" to="/bring/file">
          {t('file.title')}
        </Link>
      </div>
      <p className="fw-muted a-lead">{t('intro')}</p>
      <Await query={catalogue} lines={8}>
        {(c) => {
          const products = c.products.filter((p) => p.subject_kind === 'firm');
          return products.length ? (
            <Sheet catalogue={c} products={products} />
          ) : (
            <Empty text={t('no_products')} />
          );
        }}
      </Await>
    </>
  );
}

function Sheet(props: { catalogue: Catalogue; products: Product[] }) {
  const { t } = useTranslation('bring');
  const f = useFormats();
  const words = useWords();
  const bring = useBring();
  const [form] = Form.useForm<Fields>();
  const side = Form.useWatch('side', form) ?? 'supplier';
  const signed = Form.useWatch('paper', form) !== 'later';
  const code = Form.useWatch('product', form);
  const { products } = props;
  const wordings = props.catalogue.consents ?? [];
  const product = products.find((p) => p.code === code);
  const parts = product ? partsOf(product, wordings) : { must: [], may: [] };
  const needed = [{ required: true, whitespace: true, message: t('needed') }];
  const within = {
    validator: (_: unknown, text?: string) => {
      const fen = text ? fenOf(text) : undefined;
      if (!text) return Promise.resolve();
      if (fen === undefined) return Promise.reject(new Error(t('not_amount')));
      const fits = !product || (fen >= product.min_fen && fen <= product.max_fen);
      return fits ? Promise.resolve() : Promise.reject(new Error(t('out_of_range')));
    },
  };
  const send = (v: Fields) => {
    const of = products.find((p) => p.code === v.product);
    if (!of) return;
    bring.mutate(
      {
        firm_id: v.firm,
        product: v.product,
        asked: fenOf(v.amount) ?? 0,
        term_months: v.term,
        purpose: v.purpose?.trim() || undefined,
        consents:
          v.paper === 'signed'
            ? onPaper(of, wordings, v.apart ?? [], {
                proof: v.proof?.trim() ?? '',
                day: v.day ?? '',
              })
            : [],
      },
      { onSuccess: () => form.resetFields() },
    );
  };
  return (
    <Form<Fields>
      form={form}
      className="r-form"
      layout="vertical"
      requiredMark={false}
      initialValues={{ side: 'supplier', paper: 'signed', day: today() }}
      onFinish={send}
      scrollToFirstError
    >
      {bring.data ? (
        <Alert
          className="a-notice"
          type="success"
          showIcon
          title={t(bring.data.state === 'draft' ? 'drafted' : 'sent', {
            name: bring.data.user_name,
            state: words.word('state', bring.data.state),
          })}
        />
      ) : null}
      <Form.Item name="side" label={t('side')}>
        <Radio.Group
          onChange={() => form.resetFields(['firm'])}
          options={(['supplier', 'dealer'] as const).map((value) => ({
            value,
            label: t(`sides.${value}`),
          }))}
        />
      </Form.Item>
      <Form.Item name="firm" label={t('firm')} rules={needed}>
        <PartnerSelect key={side} side={side} />
      </Form.Item>
      <Form.Item
        name="product"
        label={t('product')}
        rules={needed}
        extra={product?.purpose[currentLanguage()]}
      >
        <Select
          placeholder={t('choose_product')}
          onChange={() => form.resetFields(['term', 'apart'])}
          options={products.map((p) => ({
            value: p.code,
            label: p.name[currentLanguage()] ?? p.code,
          }))}
        />
      </Form.Item>
      <div className="r-pair">
        <Form.Item
          name="amount"
          label={t('amount')}
          rules={[...needed, within]}
          extra={
            product
              ? t('range', { min: f.yuan0(product.min_fen), max: f.yuan0(product.max_fen) })
              : undefined
          }
        >
          <Input inputMode="decimal" autoComplete="off" />
        </Form.Item>
        <Form.Item name="term" label={t('term')} rules={[{ required: true, message: t('needed') }]}>
          <Select
            disabled={!product}
            options={product?.terms.map((n) => ({ value: n, label: t('months', { count: n }) }))}
          />
        </Form.Item>
      </div>
      <Form.Item name="purpose" label={t('purpose')}>
        <Input maxLength={200} autoComplete="off" />
      </Form.Item>
      <Form.Item name="paper" label={t('consent')}>
        <Radio.Group
          options={(['signed', 'later'] as const).map((value) => ({
            value,
            label: t(`papers.${value}`),
          }))}
        />
      </Form.Item>
      {signed ? (
        <fieldset className="r-documents">
          <legend>{t('paper')}</legend>
          <p className="fw-muted">{t('paper_about')}</p>
          {product ? (
            <p>{t('covers', { parts: parts.must.map((p) => t(`parts.${p}`)).join(t('and')) })}</p>
          ) : null}
          {parts.may.length ? (
            <Form.Item name="apart" label={t('covers_too')}>
              <Checkbox.Group
                options={parts.may.map((value) => ({ value, label: t(`parts.${value}`) }))}
              />
            </Form.Item>
          ) : null}
          <div className="r-pair">
            <Form.Item name="proof" label={t('proof')} rules={needed}>
              <Input maxLength={200} autoComplete="off" />
            </Form.Item>
            <Form.Item name="day" label={t('agreed_on')} rules={needed}>
              <Input type="date" max={today()} />
            </Form.Item>
          </div>
        </fieldset>
      ) : (
        <p className="fw-muted">{t('later_about')}</p>
      )}
      {bring.error ? <Problem compact error={bring.error} /> : null}
      <Button type="primary" size="large" htmlType="submit" loading={bring.isPending}>
        {t(signed ? 'send' : 'draft')}
      </Button>
    </Form>
  );
}

/** Finds a firm by what is typed; the form gives it its id, value and change. */
function PartnerSelect(props: {
  side: Side;
  id?: string;
  value?: string;
  onChange?(id: string): void;
}) {
  const { t } = useTranslation('bring');
  const { side, ...field } = props;
  const [typed, setTyped] = useState('');
  const names = usePartnerNames(side, useSettled(typed.trim()));
  return (
    <Select
      {...field}
      showSearch={{ filterOption: false, onSearch: setTyped }}
      placeholder={t('choose')}
      loading={names.isFetching}
      notFoundContent={names.isPending ? null : t('no_match')}
      options={(names.data ?? []).map((s) => ({ value: s.id, label: `${s.name} ${s.uscc}` }))}
    />
  );
}
