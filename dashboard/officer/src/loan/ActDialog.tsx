import type {
  OfficerLoanEvent,
  OfficerLoanPage,
  OfficerLoanPreview,
} from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Problem } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button, Input, Modal } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataTable } from '../pieces/DataTable';
import { Facts } from '../pieces/Page';
import { Pill } from '../pieces/Pill';
import {
  type Act,
  eventOf,
  FIELDS,
  type Field,
  missing,
  openRows,
  targets,
  type Values,
} from './acts';
import { BalanceChart } from './BalanceChart';
import { Details, useKind } from './Books';
import { newKey, useBook, usePreview } from './data';
import { Rows } from './Rows';

const UNITS = ['days', 'weeks', 'months', 'years'];
const DATES: Field[] = ['date', 'to', 'due_on'];
const REFERS: Field[] = ['charge', 'undone', 'received'];

/** What a form starts with. */
function begin(act: Act, page: OfficerLoanPage): Values {
  const { loan, schedule } = page;
  const row = openRows(schedule ?? [])[0]?.due_on ?? '';
  const values: Values = { date: loan.day_end, row, every: '1', unit: 'months' };
  if (act === 'refund' || act === 'credit_refund') values.amount = String(loan.credit / 100);
  const field = FIELDS[act].find((name) => REFERS.includes(name));
  if (field && field !== 'charge')
    values[field] = targets(field, page.events ?? [])[0]?.event.id ?? '';
  return values;
}

/** Asks for what an act needs, shows the loan as it would be, and books or proposes it. */
export function ActDialog(props: { act: Act; page: OfficerLoanPage; onClose(): void }) {
  const { t } = useTranslation('servicing');
  const { act, page } = props;
  const { loan } = page;
  const preview = usePreview(loan.id);
  const book = useBook(loan.id);
  const [key, setKey] = useState(newKey);
  const [values, setValues] = useState<Values>(() => begin(act, page));
  const [reason, setReason] = useState('');
  const id = useId();
  const kind = useKind();
  const wrong = missing(act, values);
  const event = wrong.length ? undefined : eventOf(act, values);
  const refund = act === 'refund';
  const seen = preview.data;
  const change = (name: Field, value: string) => {
    setValues({ ...values, [name]: value });
    setKey(newKey());
    preview.reset();
    book.reset();
  };
  const look = (e: FormEvent) => {
    e.preventDefault();
    if (event && !refund) preview.mutate(event);
  };
  const ready = refund ? !!event : !!seen && (!seen.second || !!reason.trim());
  const send = () => {
    if (!event) return;
    book.mutate(
      {
        event,
        key,
        refund,
        ...(seen?.second ? { reason: reason.trim() } : {}),
      },
      { onSuccess: props.onClose },
    );
  };
  return (
    <Modal
      open
      width={980}
      className="act-dialog"
      title={kind(act)}
      okText={t(seen?.second ? 'propose' : 'book')}
      okButtonProps={{ loading: book.isPending, disabled: !ready }}
      onOk={send}
      onCancel={props.onClose}
    >
      <p className="fw-muted">{t(`about.${act}`)}</p>
      <form className="small-form" onSubmit={look}>
        {FIELDS[act].map((name) => (
          <p key={name}>
            <label htmlFor={id + name}>{t(`field.${name}`)}</label>
            <Control
              id={id + name}
              name={name}
              values={values}
              page={page}
              onChange={(value) => change(name, value)}
            />
          </p>
        ))}
        {refund ? null : (
          <Button htmlType="submit" loading={preview.isPending} disabled={!event}>
            {t('preview')}
          </Button>
        )}
      </form>
      {preview.error ? <Problem error={preview.error} compact /> : null}
      {seen ? <Preview seen={seen} page={page} /> : null}
      {seen?.second ? (
        <div className="act-reason">
          <label htmlFor={`${id}reason`}>{t('reason')}</label>
          <Input.TextArea
            id={`${id}reason`}
            rows={2}
            maxLength={500}
            value={reason}
            onChange={(e) => {
              setReason(e.target.value);
              setKey(newKey());
            }}
          />
        </div>
      ) : null}
      {book.error ? <Problem error={book.error} compact /> : null}
    </Modal>
  );
}

/** The control of one field. */
function Control(props: {
  id: string;
  name: Field;
  values: Values;
  page: OfficerLoanPage;
  onChange(value: string): void;
}) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const kind = useKind();
  const { id, name, page } = props;
  const value = props.values[name] ?? '';
  const take = (e: { target: { value: string } }) => props.onChange(e.target.value);
  if (DATES.includes(name)) {
    const bounds = name === 'date' ? { min: page.loan.drawn_on, max: page.loan.day_end } : {};
    return <input id={id} type="date" value={value} onChange={take} {...bounds} />;
  }
  if (name === 'penalty')
    return (
      <input
        id={id}
        type="checkbox"
        checked={!!value}
        onChange={(e) => props.onChange(e.target.checked ? 'yes' : '')}
      />
    );
  if (name === 'unit')
    return (
      <select id={id} value={value} onChange={take}>
        {UNITS.map((unit) => (
          <option key={unit} value={unit}>
            {t(`unit.${unit}`)}
          </option>
        ))}
      </select>
    );
  if (name === 'row')
    return (
      <select id={id} value={value} onChange={take}>
        {openRows(page.schedule ?? []).map((row) => (
          <option key={row.nr} value={row.due_on}>
            {t('row_of', { nr: row.nr, date: f.date(row.due_on) })}
          </option>
        ))}
      </select>
    );
  if (REFERS.includes(name))
    return (
      <select id={id} value={value} onChange={take}>
        {name === 'charge' ? <option value="">{t('daily_penalty')}</option> : null}
        {targets(name, page.events ?? []).map((h) => (
          <option key={h.nr} value={h.event.id}>
            {`${h.nr}. ${kind(h.event.kind)} ${f.date(h.event.date)} ${
              h.event.amount ? f.yuan(h.event.amount) : ''
            } ${h.event.charge?.name ?? ''}`}
          </option>
        ))}
      </select>
    );
  const money = name === 'amount' || name === 'part';
  return (
    <input
      id={id}
      inputMode={money || name === 'rate' ? 'decimal' : name === 'name' ? undefined : 'numeric'}
      maxLength={name === 'name' ? 100 : 16}
      placeholder={name === 'part' ? t('all_of_it') : undefined}
      value={value}
      onChange={take}
    />
  );
}

/** The loan as it would be: what changes, the schedule beside the present one, the postings. */
export function Preview(props: { seen: OfficerLoanPreview; page: OfficerLoanPage }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const w = useWords();
  const { seen, page } = props;
  const [now, then] = [page.loan, seen.loan];
  const pair = (was: string, will: string) =>
    was === will ? (
      was
    ) : (
      <>
        <s>{was}</s> → <b>{will}</b>
      </>
    );
  return (
    <section className="act-preview" aria-label={t('previewed')} role="status">
      <h3>
        {t('previewed')} {seen.second ? <Pill tone="warn">{t('needs_second')}</Pill> : null}
      </h3>
      <Facts
        rows={[
          [t('outstanding'), pair(f.yuan(now.outstanding), f.yuan(then.outstanding))],
          [
            t('owed_besides'),
            pair(
              f.yuan(now.accrued + now.fee + now.penalty),
              f.yuan(then.accrued + then.fee + then.penalty),
            ),
          ],
          [t('overdue'), pair(f.yuan(now.overdue_amount), f.yuan(then.overdue_amount))],
          [
            t('next_due'),
            pair(
              `${f.date(now.next_due)} ${f.yuan(now.next_amount)}`,
              `${f.date(then.next_due)} ${f.yuan(then.next_amount)}`,
            ),
          ],
          [
            t('state_class'),
            pair(
              `${w.word('loan_state', now.state)} · ${w.word('loan_class', now.class)}`,
              `${w.word('loan_state', then.state)} · ${w.word('loan_class', then.class)}`,
            ),
          ],
          [t('credit_held'), pair(f.yuan(now.credit), f.yuan(then.credit))],
        ]}
      />
      <BalanceChart
        loan={now}
        schedule={page.schedule ?? []}
        transactions={page.transactions ?? []}
        after={seen.schedule ?? []}
      />
      <Rows label={t('schedule_then')} rows={seen.schedule ?? []} before={page.schedule ?? []} />
      {seen.movements?.length ? <Movements seen={seen} /> : null}
    </section>
  );
}

type Line = NonNullable<OfficerLoanPreview['movements']>[number] & { nr: number };

/** What changes of what each amount was taken for. */
function Movements({ seen }: { seen: OfficerLoanPreview }) {
  const { t } = useTranslation('servicing');
  const f = useFormats();
  const kind = useKind();
  const money = (name: 'amount' | 'principal' | 'interest' | 'fee' | 'penalty' | 'excess') => ({
    key: name,
    title: t(name),
    number: true,
    cell: (m: Line) => (m[name] ? f.yuan(m[name]) : <span className="fw-muted">—</span>),
  });
  const columns: Column<Line>[] = [
    { key: 'date', title: t('date'), cell: (m) => f.date(m.date) },
    { key: 'kind', title: t('what'), cell: (m) => kind(m.kind) },
    ...(['amount', 'principal', 'interest', 'fee', 'penalty', 'excess'] as const).map(money),
  ];
  return (
    <>
      <h3>{t('movements')}</h3>
      <DataTable
        label={t('movements')}
        rows={(seen.movements ?? []).map((m, nr) => ({ ...m, nr }))}
        columns={columns}
        rowKey={(m) => `${m.nr}`}
      />
    </>
  );
}

/** An event in one line, as a proposal shows it. */
export function EventLine(props: { event: OfficerLoanEvent }) {
  const kind = useKind();
  const f = useFormats();
  return (
    <>
      <b>{kind(props.event.kind)}</b> {f.date(props.event.date)} · <Details event={props.event} />
    </>
  );
}
