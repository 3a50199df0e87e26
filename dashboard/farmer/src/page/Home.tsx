import type { Loan } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { useSession } from '@furrow/shared/session';
import { LanguageSwitch } from '@furrow/shared/ui/LanguageSwitch';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button } from 'antd-mobile';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { forget, load } from '../apply/draft';
import type { Letter } from '../apply/outbox';
import { useLetters, usePost } from '../apply/post';
import { type Home as Mine, useDropDraft, useGuarantees, useHome } from '../data';
import { guaranteeTones, stateOf } from '../lending/guarantee';
import { ask } from '../ui/ask';
import { Outline } from '../ui/Outline';
import { Pill, type Tone } from '../ui/Pill';
import { Part, Screen } from '../ui/Screen';

export function Home() {
  const { t } = useTranslation('home');
  const { user } = useSession();
  const navigate = useNavigate();
  const home = useHome();
  return (
    <Screen title={t('greeting', { name: user.name })} aside={<LanguageSwitch />}>
      <div className="f-starts">
        <Button block color="primary" size="large" onClick={() => navigate('/apply')}>
          <span className="f-two">
            {t('apply')}
            <small>{t('apply_hint')}</small>
          </span>
        </Button>
        <Button block size="large" onClick={() => navigate('/plots/new')}>
          {t('draw')}
        </Button>
      </div>
      <Unfinished />
      <Letters />
      <Guarantees />
      <Await query={home} lines={8}>
        {(data) => <Holdings data={data} />}
      </Await>
    </Screen>
  );
}

/** Drafts on this phone, to go on with or to drop. */
function Unfinished() {
  const { t } = useTranslation('home');
  const { user } = useSession();
  const [, redraw] = useState(0);
  const withdraw = useDropDraft();
  const apply = load(localStorage, user.id, 'apply');
  const plot = load(localStorage, user.id, 'plot');
  const card = (text: string, to: string, go: string, kind: 'apply' | 'plot') => (
    <div className="f-card f-draft">
      <p>{text}</p>
      <p className="fw-row">
        <Link className="fw-button fw-primary" to={to}>
          {go}
        </Link>
        <button
          type="button"
          className="fw-button"
          onClick={() => {
            forget(localStorage, user.id, kind);
            if (kind === 'apply' && apply?.saved) withdraw.mutate(apply.saved);
            redraw((n) => n + 1);
          }}
        >
          {t('resume.drop')}
        </button>
      </p>
    </div>
  );
  return (
    <>
      {apply?.subject
        ? card(
            apply.label ? t('resume.apply', { label: apply.label }) : t('resume.apply_new'),
            '/apply',
            t('resume.go'),
            'apply',
          )
        : null}
      {plot ? card(t('resume.plot'), '/plots/new', t('resume.go_plot'), 'plot') : null}
    </>
  );
}

/** Applications that have not reached the bank, each with its state and what to do. */
function Letters() {
  const { t } = useTranslation('home');
  const letters = useLetters();
  const open = letters.data?.filter((l) => l.fate !== 'sent') ?? [];
  if (!open.length) return null;
  return (
    <Part title={t('outbox.title')}>
      {open.map((letter) => (
        <LetterCard key={letter.key} letter={letter} />
      ))}
    </Part>
  );
}

const fateTones = { waiting: 'wait', sending: 'wait', sent: 'done', failed: 'stop' } as const;

function LetterCard({ letter }: { letter: Letter }) {
  const { t } = useTranslation('home');
  const f = useFormats();
  const { outbox, send } = usePost();
  const retry = async () => {
    await outbox.again(letter.key);
    await send();
  };
  const drop = async () => {
    if (await ask(t('outbox.drop_ask'))) await outbox.drop(letter.key);
  };
  return (
    <div className="f-card" data-fate={letter.fate}>
      <div className="f-line">
        <b>{letter.label}</b>
        <Pill tone={fateTones[letter.fate]}>{t(`outbox.${letter.fate}`)}</Pill>
      </div>
      <p>{t('outbox.asked', { amount: f.yuan0(letter.ask.asked) })}</p>
      {letter.fate === 'failed' && letter.problem ? (
        <p className="f-error">{letter.problem}</p>
      ) : (
        <p className="f-hint">{t('outbox.waiting_hint')}</p>
      )}
      <p className="fw-row">
        {letter.fate === 'sending' ? null : (
          <button type="button" className="fw-button" onClick={() => void retry()}>
            {t('outbox.retry')}
          </button>
        )}
        {letter.fate === 'sending' ? null : (
          <button type="button" className="fw-button" onClick={() => void drop()}>
            {t('outbox.drop')}
          </button>
        )}
      </p>
    </div>
  );
}

/** Loans of others for which this person answers or is asked to. */
function Guarantees() {
  const { t } = useTranslation('home');
  const f = useFormats();
  const list = useGuarantees();
  if (!list.data?.length) return null;
  return (
    <Part title={t('guarantees')}>
      <ul className="f-rows">
        {list.data.map((g) => (
          <Row key={g.application_id} to={`/guarantees/${g.application_id}`}>
            <span className="f-line">
              <b>{t('guarantee', { name: g.borrower, amount: f.yuan0(g.at_most) })}</b>
              <Pill tone={guaranteeTones[stateOf(g)]}>{t(`guarantee_state.${stateOf(g)}`)}</Pill>
            </span>
          </Row>
        ))}
      </ul>
    </Part>
  );
}

const tones: Record<string, Tone> = {
  draft: 'go',
  accepted: 'go',
  submitted: 'wait',
  deciding: 'wait',
  offered: 'go',
  referred: 'wait',
  refused: 'stop',
  signed: 'go',
  active: 'done',
  closed: 'done',
  withdrawn: 'done',
  expired: 'done',
};

function Row(props: { to?: string; picture?: ReactNode; children: ReactNode }) {
  const inside = (
    <>
      {props.picture}
      <span className="f-row-text">{props.children}</span>
    </>
  );
  return (
    <li>
      {props.to ? (
        <Link className="f-row" to={props.to}>
          {inside}
        </Link>
      ) : (
        <div className="f-row">{inside}</div>
      )}
    </li>
  );
}

function Holdings({ data }: { data: Mine }) {
  const { t } = useTranslation('home');
  const f = useFormats();
  const words = useWords();
  const { user } = useSession();
  // The draft that this phone goes on with stands above, on a card of its own.
  const here = load(localStorage, user.id, 'apply')?.saved;
  const applications = (data.applications ?? []).filter((a) => a.id !== here);
  const plots = data.plots ?? [];
  const herds = data.herds ?? [];
  const firms = data.firms ?? [];
  const loans = data.loans ?? [];
  return (
    <>
      <Part title={t('applications')}>
        {applications.length ? (
          <ul className="f-rows">
            {applications.map((a) => (
              <Row
                key={a.id}
                to={a.state === 'draft' ? `/apply?draft=${a.id}` : `/applications/${a.id}`}
              >
                <span className="f-line">
                  <b>{a.subject_name}</b>
                  <Pill tone={tones[a.state] ?? 'wait'}>{t(`state.${a.state}`)}</Pill>
                </span>
                <span className="f-line f-hint">
                  {a.limit
                    ? t('limit', { amount: f.yuan0(a.limit) })
                    : t('asked', { amount: f.yuan0(a.asked) })}
                  <span>{f.date(a.created_at)}</span>
                </span>
              </Row>
            ))}
          </ul>
        ) : (
          <Empty text={t('none.applications')} />
        )}
      </Part>
      {loans.length ? (
        <Part title={t('loans')}>
          <ul className="f-rows">
            {loans.map((l) => (
              <Row key={l.id} to={`/loans/${l.id}`}>
                <span className="f-line">
                  <b>{t('outstanding', { amount: f.yuan0(l.outstanding) })}</b>
                  <Pill tone={loanTone(l)}>{t(`loan_state.${l.state}`)}</Pill>
                </span>
                <span className="f-hint">
                  {l.next_due
                    ? t('next_payment', {
                        date: f.date(l.next_due),
                        amount: f.yuan(l.next_amount),
                      })
                    : t('no_payment')}
                </span>
              </Row>
            ))}
          </ul>
        </Part>
      ) : null}
      {plots.length || (!herds.length && !firms.length) ? (
        <Part title={t('plots')}>
          {plots.length ? (
            <ul className="f-rows">
              {plots.map(({ plot, report_summary: r }) => (
                <Row
                  key={plot.id}
                  to={`/plots/${plot.id}`}
                  picture={<Outline polygon={plot.polygon} />}
                >
                  <span className="f-line">
                    <b>{plot.name}</b>
                    <span>{t('mu', { mu: f.mu(plot.area_m2) })}</span>
                  </span>
                  <span className="f-hint">
                    {!r
                      ? t('plot_waiting')
                      : r.crop && r.status !== 'unknown'
                        ? t('plot_crop', { crop: words.crop(r.crop) })
                        : t('plot_unknown')}
                  </span>
                </Row>
              ))}
            </ul>
          ) : (
            <Empty text={t('none.plots')} />
          )}
        </Part>
      ) : null}
      {herds.length ? (
        <Part title={t('herds')}>
          <ul className="f-rows">
            {herds.map(({ herd, report: r }) => (
              <Row
                key={herd.id}
                to={`/herds/${herd.id}`}
                picture={<Outline polygon={herd.fence} />}
              >
                <b>{herd.name}</b>
                <span className="f-hint">
                  {r.status !== 'unknown'
                    ? t('animals', {
                        registered: f.integer(r.registered),
                        verified: f.integer(r.verified),
                      })
                    : t('animals_none')}
                </span>
              </Row>
            ))}
          </ul>
        </Part>
      ) : null}
      {firms.length ? (
        <Part title={t('firms')}>
          <ul className="f-rows">
            {firms.map(({ firm, standing }) => (
              <Row key={firm.id}>
                <b>{firm.name}</b>
                <span className="f-hint">
                  {standing.status !== 'unknown'
                    ? t('firm_proven', { share: f.percent(standing.proven) })
                    : t('firm_none')}
                </span>
              </Row>
            ))}
          </ul>
        </Part>
      ) : null}
    </>
  );
}

function loanTone(loan: Loan): Tone {
  if (loan.state === 'overdue' || loan.state === 'failed') return 'stop';
  return loan.state === 'closed' ? 'done' : 'go';
}
