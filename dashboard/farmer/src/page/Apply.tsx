import { idempotencyKey } from '@furrow/shared/api/client';
import type { Product, SubjectKind, Wording } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { Await, Empty, Loading } from '@furrow/shared/ui/states';
import { useCatalogue, useWords } from '@furrow/shared/words';
import { Button, ProgressBar, Toast } from 'antd-mobile';
import { useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { fen, judge, monthlyCost } from '../apply/amount';
import { type Asked, answers as agreed, asked } from '../apply/consent';
import { type ApplyDraft, forget, keep, load } from '../apply/draft';
import { usePost } from '../apply/post';
import { resumed, save } from '../apply/saving';
import { type Home as Mine, rateOfBp, useHome } from '../data';
import { Choice, type Option } from '../ui/Choice';
import { Money } from '../ui/Money';
import { useOnline } from '../ui/online';
import { Facts, Screen } from '../ui/Screen';

const STEPS = ['subject', 'product', 'amount', 'term', 'check'] as const;

/** One question a screen, five screens; every answer is kept on the phone at once. */
export function Apply() {
  const { t } = useTranslation('apply');
  const home = useHome();
  const catalogue = useCatalogue();
  if (home.data && catalogue.data)
    return (
      <Questions
        home={home.data}
        offered={catalogue.data.products ?? []}
        wordings={catalogue.data.consents ?? []}
      />
    );
  return (
    <Screen title={t('title')} back="/">
      <Await<unknown> query={home.error ? home : catalogue}>{() => <Loading />}</Await>
    </Screen>
  );
}

/** The draft on this phone, or the one at the bank that is asked for. */
function begun(home: Mine, user: string, id: string | null): ApplyDraft | null {
  const here = load(localStorage, user, 'apply');
  if (!id || here?.saved === id) return here;
  const there = home.applications?.find((a) => a.id === id && a.state === 'draft');
  return there ? resumed(there, idempotencyKey()) : here;
}

interface Borrowable {
  kind: SubjectKind;
  id: string;
  name: string;
  hint: string;
  busy: boolean;
}

const OPEN = new Set([
  'submitted',
  'deciding',
  'offered',
  'accepted',
  'referred',
  'signed',
  'active',
]);

function useBorrowables(home: Mine): Borrowable[] {
  const { t } = useTranslation('apply');
  const f = useFormats();
  const busy = new Set(
    (home.applications ?? [])
      .filter((a) => OPEN.has(a.state))
      .map((a) => `${a.subject.kind}/${a.subject.id}`),
  );
  const of = (kind: SubjectKind, id: string, name: string, hint: string): Borrowable => ({
    kind,
    id,
    name,
    hint,
    busy: busy.has(`${kind}/${id}`),
  });
  return [
    ...(home.plots ?? []).map(({ plot }) =>
      of('plot', plot.id, plot.name, t('subject.mu', { mu: f.mu(plot.area_m2) })),
    ),
    ...(home.herds ?? []).map(({ herd }) => of('herd', herd.id, herd.name, t('subject.herd'))),
    ...(home.firms ?? []).map(({ firm }) => of('firm', firm.id, firm.name, t('subject.firm'))),
  ];
}

function Questions(props: { home: Mine; offered: Product[]; wordings: Wording[] }) {
  const { home, offered, wordings } = props;
  const { t, i18n } = useTranslation('apply');
  const { user } = useSession();
  const navigate = useNavigate();
  const { outbox, send } = usePost();
  const online = useOnline();
  const words = useWords();
  const subjects = useBorrowables(home);
  const [query] = useSearchParams();
  const [draft, setDraft] = useState<ApplyDraft>(
    () => begun(home, user.id, query.get('draft')) ?? { step: 0, key: idempotencyKey() },
  );
  const [kept, setKept] = useState(true);
  const [consent, setConsent] = useState(false);
  const [apart, setApart] = useState<string[]>([]);
  const [tried, setTried] = useState(false);
  const [sending, setSending] = useState(false);

  const products = offered.filter((p) => p.subject_kind === draft.subject?.kind);
  const product = products.find((p) => p.code === draft.product);
  const questions = product ? asked(product, wordings) : undefined;
  const amount = fen(draft.yuan ?? '');
  const fault = product ? judge(amount, product.min_fen, product.max_fen) : 'not_amount';

  const answers = [
    !!draft.subject && subjects.some((s) => s.id === draft.subject?.id && !s.busy),
    !!product,
    !fault,
    !!product?.terms.includes(draft.term ?? 0) && !!draft.purpose?.trim(),
    consent,
  ];
  // A draft may be older than the catalogue: the first question without an answer is asked.
  const first = answers.indexOf(false);
  const step = first < 0 ? draft.step : Math.min(draft.step, first);

  const put = (change: Partial<ApplyDraft>) => {
    const next = { ...draft, step, ...change };
    setDraft(next);
    setKept(keep(localStorage, user.id, 'apply', next));
  };
  const saving = useRef<Promise<unknown>>(Promise.resolve());
  const now = useRef(draft);
  now.current = draft;
  /** The bank's copy follows each screen, one after another and out of the way. */
  const saveNow = () => {
    saving.current = saving.current.then(async () => {
      const saved = await save(now.current);
      if (saved === now.current.saved) return;
      const { saved: _, ...rest } = now.current;
      now.current = saved ? { ...rest, saved } : rest;
      setDraft(now.current);
      keep(localStorage, user.id, 'apply', now.current);
    });
  };
  const go = (to: number) => {
    setTried(false);
    put({ step: to });
    if (draft.subject) saveNow();
    window.scrollTo(0, 0);
  };

  const submit = async () => {
    if (
      !draft.subject ||
      !product ||
      !questions ||
      amount === null ||
      !draft.term ||
      !draft.purpose
    )
      return;
    setSending(true);
    await saving.current;
    const { saved } = now.current;
    await outbox.write({
      key: draft.key,
      user: user.id,
      label: draft.label ?? '',
      written: Date.now(),
      ask: {
        subject: draft.subject,
        product: product.code,
        asked: amount,
        term_months: draft.term,
        purpose: draft.purpose.trim(),
        consents: agreed(questions, apart, i18n.language),
        ...(saved ? { draft: saved } : {}),
      },
    });
    forget(localStorage, user.id, 'apply');
    await send();
    const letter = (await outbox.of(user.id)).find((l) => l.key === draft.key);
    if (letter?.application) {
      await outbox.drop(draft.key);
      navigate(`/applications/${letter.application}`, { replace: true });
    } else {
      Toast.show({ content: t('queued') });
      navigate('/', { replace: true });
    }
  };

  const next = () => {
    setTried(true);
    if (!answers[step]) return;
    if (step < STEPS.length - 1) go(step + 1);
    else void submit();
  };

  const last = step === STEPS.length - 1;
  return (
    <Screen
      title={t('title')}
      back={step ? () => go(step - 1) : '/'}
      foot={
        <Button block color="primary" size="large" loading={sending} onClick={next}>
          {t(last ? (online ? 'check.submit' : 'check.submit_offline') : 'next')}
        </Button>
      }
    >
      <div className="f-progress">
        <ProgressBar percent={((step + 1) / STEPS.length) * 100} />
        <p>{t('step', { n: step + 1, of: STEPS.length })}</p>
      </div>
      <h2 className="f-question">{t(`${STEPS[step]}.ask`)}</h2>
      {step === 0 ? (
        <AskSubject
          subjects={subjects}
          value={draft.subject?.id}
          onChange={(s) => {
            const fits = offered.filter((p) => p.subject_kind === s.kind);
            put({
              subject: { kind: s.kind, id: s.id },
              label: s.name,
              product: fits[0]?.code, // the bank's usual one; the next screen shows the others
            });
          }}
        />
      ) : step === 1 ? (
        <AskProduct
          products={products}
          value={draft.product}
          onChange={(code) => put({ product: code })}
        />
      ) : step === 2 && product ? (
        <AskAmount
          product={product}
          value={draft.yuan ?? ''}
          wrong={tried || draft.yuan ? fault : ''}
          onChange={(yuan) => put({ yuan })}
        />
      ) : step === 3 && product ? (
        <AskTerm
          product={product}
          amount={amount ?? 0}
          draft={draft}
          onTerm={(term) => put({ term })}
          onPurpose={(purpose) => put({ purpose })}
        />
      ) : product && questions ? (
        <Check
          questions={questions}
          apart={apart}
          onApart={setApart}
          draft={draft}
          product={words.product(product.code)}
          amount={amount ?? 0}
          consent={consent}
          missing={tried && !consent}
          onConsent={setConsent}
          onChange={go}
        />
      ) : null}
      {tried && !answers[step] && step !== 2 && !last ? (
        <p className="f-error" role="alert">
          {t(step === 3 ? 'choose_both' : 'choose')}
        </p>
      ) : null}
      <p className={kept ? 'f-kept' : 'f-error'}>{kept ? t('kept') : t('shell:kept_failed')}</p>
    </Screen>
  );
}

function AskSubject(props: {
  subjects: Borrowable[];
  value: string | undefined;
  onChange(subject: Borrowable): void;
}) {
  const { t } = useTranslation('apply');
  if (!props.subjects.length)
    return (
      <Empty text={t('subject.none')}>
        <Link className="fw-button fw-primary" to="/plots/new">
          {t('home:draw')}
        </Link>
      </Empty>
    );
  return (
    <Choice
      label={t('subject.ask')}
      hideLabel
      value={props.value}
      onChange={(id) => {
        const subject = props.subjects.find((s) => s.id === id);
        if (subject) props.onChange(subject);
      }}
      options={props.subjects.map((s) => ({
        value: s.id,
        label: s.name,
        hint: s.busy ? t('subject.busy') : s.hint,
        off: s.busy,
      }))}
    />
  );
}

function AskProduct(props: {
  products: Product[];
  value: string | undefined;
  onChange(code: string): void;
}) {
  const { t, i18n } = useTranslation('apply');
  const f = useFormats();
  const words = useWords();
  if (!props.products.length) return <Empty text={t('product.none')} />;
  return (
    <Choice
      label={t('product.ask')}
      hideLabel
      value={props.value}
      onChange={props.onChange}
      options={props.products.map((p) => ({
        value: p.code,
        label: words.product(p.code),
        hint: (
          <>
            <span>{p.purpose[i18n.language]}</span>
            <span>{t('product.range', { min: f.yuan0(p.min_fen), max: f.yuan0(p.max_fen) })}</span>
            <span>{t('product.rate', { rate: f.rate(rateOfBp(p.base_rate_bp)) })}</span>
          </>
        ),
      }))}
    />
  );
}

/** Round amounts within the product's bounds, in yuan. */
const ROUND = [5_000, 10_000, 20_000, 30_000, 50_000, 100_000, 200_000, 300_000, 500_000];

function AskAmount(props: {
  product: Product;
  value: string;
  wrong: ReturnType<typeof judge>;
  onChange(yuan: string): void;
}) {
  const { t } = useTranslation('apply');
  const f = useFormats();
  const { product, wrong } = props;
  const bounds = { min: f.yuan0(product.min_fen), max: f.yuan0(product.max_fen) };
  const quick = ROUND.filter((y) => y * 100 >= product.min_fen && y * 100 <= product.max_fen);
  return (
    <>
      <Money
        label={t('amount.label')}
        value={props.value}
        onChange={props.onChange}
        hint={t('amount.bounds', bounds)}
        wrong={wrong ? t(`amount.${wrong}`, bounds) : ''}
      />
      <fieldset className="f-quick">
        <legend>{t('amount.quick')}</legend>
        {quick.slice(0, 6).map((y) => (
          <button type="button" key={y} onClick={() => props.onChange(String(y))}>
            {f.yuan0(y * 100)}
          </button>
        ))}
      </fieldset>
    </>
  );
}

const PURPOSES: Record<string, string[]> = {
  plot: ['seed', 'machine'],
  herd: ['feed', 'stock'],
  firm: ['goods', 'wages'],
};

function AskTerm(props: {
  product: Product;
  amount: number;
  draft: ApplyDraft;
  onTerm(months: number): void;
  onPurpose(purpose: string): void;
}) {
  const { t, i18n } = useTranslation('apply');
  const f = useFormats();
  const id = useId();
  const { product, draft } = props;
  const rate = rateOfBp(product.base_rate_bp);
  const words =
    product.purposes?.map((p) => p.name[i18n.language] ?? p.code) ??
    (PURPOSES[product.subject_kind] ?? []).map((p) => t(`term.purposes.${p}`));
  const [other, setOther] = useState(!!draft.purpose && !words.includes(draft.purpose));
  const options: Option<string>[] = [
    ...words.map((w) => ({ value: w, label: w })),
    { value: '', label: t('term.purposes.other') },
  ];
  return (
    <>
      <Choice
        label={t('term.label')}
        columns={3}
        value={draft.term}
        onChange={props.onTerm}
        options={product.terms.map((m) => ({ value: m, label: t('term.months', { count: m }) }))}
      />
      <p className="f-hint">
        {t('term.cost', { rate: f.rate(rate), amount: f.yuan(monthlyCost(props.amount, rate)) })}
      </p>
      <Choice
        label={t('term.purpose')}
        columns={3}
        value={other ? '' : draft.purpose}
        onChange={(p) => {
          setOther(!p);
          props.onPurpose(p);
        }}
        options={options}
      />
      {other ? (
        <div className="f-field">
          <label htmlFor={id}>{t('term.purpose_other')}</label>
          <span className="f-input">
            <input
              id={id}
              value={draft.purpose ?? ''}
              maxLength={100}
              onChange={(e) => props.onPurpose(e.target.value)}
            />
          </span>
        </div>
      ) : null}
    </>
  );
}

function Check(props: {
  questions: Asked;
  apart: string[];
  onApart(parts: string[]): void;
  draft: ApplyDraft;
  product: string;
  amount: number;
  consent: boolean;
  missing: boolean;
  onConsent(on: boolean): void;
  onChange(step: number): void;
}) {
  const { t, i18n } = useTranslation('apply');
  const f = useFormats();
  const { draft, questions, apart } = props;
  const rows: [keyof typeof names, string, number][] = [
    ['subject', draft.label ?? '', 0],
    ['product', props.product, 1],
    ['amount', f.yuan(props.amount), 2],
    ['term', t('term.months', { count: draft.term }), 3],
    ['purpose', draft.purpose ?? '', 3],
  ];
  return (
    <div className="f-check">
      <Facts
        of={rows.map(([name, value, step]) => [
          t(names[name]),
          <span className="f-line" key={name}>
            <b>{value}</b>
            <button
              type="button"
              className="f-change"
              aria-label={t('check.change', { what: t(names[name]) })}
              onClick={() => props.onChange(step)}
            >
              {t('check.change_short')}
            </button>
          </span>,
        ])}
      />
      <label className="f-consent">
        <input
          type="checkbox"
          checked={props.consent}
          onChange={(e) => props.onConsent(e.target.checked)}
        />
        <span>
          <b>{t('check.consent')}</b>
          {questions.together.map((w) => (
            <small key={w.part}>{w.text[i18n.language]}</small>
          ))}
        </span>
      </label>
      {props.missing ? (
        <p className="f-error" role="alert">
          {t('check.consent_needed')}
        </p>
      ) : null}
      {questions.apart.map((w) => (
        <label className="f-consent-apart" key={w.part}>
          <input
            type="checkbox"
            checked={apart.includes(w.part)}
            onChange={(e) =>
              props.onApart(
                e.target.checked ? [...apart, w.part] : apart.filter((p) => p !== w.part),
              )
            }
          />
          <span>{w.text[i18n.language]}</span>
        </label>
      ))}
    </div>
  );
}

const names = {
  subject: 'check.subject',
  product: 'check.product',
  amount: 'check.amount',
  term: 'check.term',
  purpose: 'check.purpose',
} as const;
