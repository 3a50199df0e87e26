import type { Product } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { currentLanguage } from '@furrow/shared/i18n';
import { Await, Problem } from '@furrow/shared/ui/states';
import { useCatalogue, useWords } from '@furrow/shared/words';
import { Button, Input, Select } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { FirmSelect } from '../chain/FirmSelect';
import { useHerds, usePlots } from '../data';
import { Fees } from '../loan/Fees';
import { newKey, useCounter } from '../paper/data';
import { Page, Panel } from '../pieces/Page';
import { useMay } from '../pieces/useMay';
import { fenOf } from '../receivable/fen';

/** Whether a product is lent at the counter. */
const atCounter = (p: Product) => !p.channels?.length || p.channels.includes('counter');

/** An application that a borrower makes on paper, entered by an officer. */
export function CounterPage() {
  const { t } = useTranslation('paper');
  const catalogue = useCatalogue();
  const may = useMay();
  return (
    <Page
      title={t('counter')}
      lead={t('counter_lead')}
      crumbs={[{ to: '/applications', text: t('applications') }]}
    >
      {may ? (
        <Await query={catalogue}>{(c) => <Form products={c.products.filter(atCounter)} />}</Await>
      ) : (
        <p>{t('officers_only')}</p>
      )}
    </Page>
  );
}

function Form({ products }: { products: Product[] }) {
  const { t } = useTranslation('paper');
  const f = useFormats();
  const w = useWords();
  const navigate = useNavigate();
  const enter = useCounter();
  const wordings = useCatalogue().data?.consents ?? [];
  const [key, setKey] = useState(newKey);
  const [code, setCode] = useState(products[0]?.code ?? '');
  const product = products.find((p) => p.code === code);
  const [subject, setSubject] = useState('');
  const [months, setMonths] = useState(product?.terms[0] ?? 0);
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [agreed, setAgreed] = useState<string[]>([]);
  const id = useId();
  const text = (name: string) => (texts[name] ?? '').trim();
  const write = (name: string) => (e: { target: { value: string } }) => {
    setTexts({ ...texts, [name]: e.target.value });
    setKey(newKey());
  };
  const choose = (next: string) => {
    const chosen = products.find((p) => p.code === next);
    if (chosen?.subject_kind !== product?.subject_kind) setSubject('');
    setCode(next);
    setMonths(chosen?.terms[0] ?? 0);
    setKey(newKey());
  };
  const asked = fenOf(text('asked'));
  const ready = product && subject && asked && months && (!agreed.length || text('proof'));
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!product || !asked) return;
    const at = new Date().toISOString();
    const consents = wordings
      .filter((c) => agreed.includes(c.part))
      .map((c) => ({
        part: c.part,
        text: c.hash[currentLanguage()] ?? '',
        proof: text('proof'),
        at,
      }));
    enter.mutate(
      {
        key,
        subject: { kind: product.subject_kind, id: subject },
        product: product.code,
        asked,
        term_months: months,
        purpose: text('purpose'),
        consents,
        stated_on: text('stated_on'),
        reason: text('reason'),
      },
      { onSuccess: (a) => void navigate(`/applications/${a.id}`) },
    );
  };
  return (
    <form className="counter-form" onSubmit={send}>
      <Panel title={t('loan')}>
        <div className="counter-fields">
          <p>
            <label htmlFor={`${id}product`}>{t('product')}</label>
            <select id={`${id}product`} value={code} onChange={(e) => choose(e.target.value)}>
              {products.map((p) => (
                <option key={p.code} value={p.code}>
                  {w.product(p.code)}
                </option>
              ))}
            </select>
          </p>
          <p>
            <span>{t('subject_of', { kind: w.word('subject', product?.subject_kind) })}</span>
            <SubjectSelect
              key={product?.subject_kind}
              kind={product?.subject_kind ?? ''}
              value={subject}
              onChange={(next) => {
                setSubject(next);
                setKey(newKey());
              }}
            />
          </p>
          <p>
            <label htmlFor={`${id}asked`}>{t('asked')}</label>
            <Input
              id={`${id}asked`}
              inputMode="decimal"
              maxLength={16}
              value={texts.asked ?? ''}
              onChange={write('asked')}
            />
            {product ? (
              <small className="fw-muted">
                {t('bounds', { from: f.yuan0(product.min_fen), to: f.yuan0(product.max_fen) })}
              </small>
            ) : null}
          </p>
          <p>
            <label htmlFor={`${id}months`}>{t('term')}</label>
            <select
              id={`${id}months`}
              value={months}
              onChange={(e) => {
                setMonths(Number(e.target.value));
                setKey(newKey());
              }}
            >
              {(product?.terms ?? []).map((n) => (
                <option key={n} value={n}>
                  {t('months', { count: n })}
                </option>
              ))}
            </select>
          </p>
          <p>
            <label htmlFor={`${id}purpose`}>{t('purpose')}</label>
            <Input
              id={`${id}purpose`}
              maxLength={500}
              value={texts.purpose ?? ''}
              onChange={write('purpose')}
            />
          </p>
        </div>
        {product?.fees?.length ? <Fees rows={product.fees} /> : null}
      </Panel>
      <Panel title={t('paper')}>
        <fieldset className="counter-consents">
          <legend>{t('agreed_on_paper')}</legend>
          {wordings.map((c) => (
            <p key={c.part}>
              <input
                id={id + c.part}
                type="checkbox"
                checked={agreed.includes(c.part)}
                onChange={(e) => {
                  setAgreed(
                    e.target.checked
                      ? [...agreed, c.part]
                      : agreed.filter((part) => part !== c.part),
                  );
                  setKey(newKey());
                }}
              />{' '}
              <label htmlFor={id + c.part}>{c.text[currentLanguage()]}</label>
            </p>
          ))}
        </fieldset>
        <div className="counter-fields">
          <p>
            <label htmlFor={`${id}proof`}>{t('paper_number')}</label>
            <Input
              id={`${id}proof`}
              maxLength={200}
              value={texts.proof ?? ''}
              onChange={write('proof')}
            />
          </p>
        </div>
      </Panel>
      {enter.error ? <Problem error={enter.error} /> : null}
      <Button type="primary" htmlType="submit" disabled={!ready} loading={enter.isPending}>
        {t('enter')}
      </Button>
    </form>
  );
}

/** What is lent on: a plot, a herd or a firm, looked for by its name or its holder's. */
function SubjectSelect(props: { kind: string; value: string; onChange(id: string): void }) {
  const { t } = useTranslation('paper');
  if (props.kind === 'firm')
    return <FirmSelect label={t('subject')} value={props.value} onChange={props.onChange} />;
  return props.kind === 'herd' ? <HerdSelect {...props} /> : <PlotSelect {...props} />;
}

interface Choosing {
  value: string;
  onChange(id: string): void;
}

function PlotSelect(props: Choosing) {
  const options = (usePlots().data ?? []).map(({ plot }) => ({
    value: plot.id,
    label: `${plot.owner_name} · ${plot.name}`,
  }));
  return <Named {...props} options={options} />;
}

function HerdSelect(props: Choosing) {
  const options = (useHerds().data ?? []).map(({ herd }) => ({
    value: herd.id,
    label: `${herd.owner_name} · ${herd.name}`,
  }));
  return <Named {...props} options={options} />;
}

function Named(props: Choosing & { options: { value: string; label: string }[] }) {
  const { t } = useTranslation('paper');
  return (
    <Select
      className="firm-select"
      aria-label={t('subject')}
      placeholder={t('choose_subject')}
      showSearch={{ optionFilterProp: 'label' }}
      value={props.value || undefined}
      options={props.options}
      onChange={(id: string) => props.onChange(id)}
    />
  );
}
