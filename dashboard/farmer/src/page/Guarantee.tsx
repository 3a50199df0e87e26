import '../lending/texts';
import type { Guarantee as Asked, Contract as Words } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { useWords } from '@furrow/shared/words';
import { Button, Toast } from 'antd-mobile';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { useContract, useGuarantees } from '../data';
import { useAnswerFor } from '../lending/data';
import { stateOf } from '../lending/guarantee';
import { ask } from '../ui/ask';
import { Field } from '../ui/Field';
import { Evidence, Paper } from '../ui/Paper';
import { Refusal } from '../ui/Refusal';
import { Facts, Part, Screen } from '../ui/Screen';

/** What somebody is asked to answer for: for whom, for how much, what it means; yes or no. */
export default function Guarantee() {
  const { t } = useTranslation('guarantee');
  const { id = '' } = useParams();
  const list = useGuarantees();
  const mine = list.data?.find((g) => g.application_id === id);
  if (mine) return <One of={mine} />;
  return (
    <Screen title={t('title')} back="/">
      <Await query={list} lines={8}>
        {() => <Empty text={t('none')} />}
      </Await>
    </Screen>
  );
}

function One({ of: g }: { of: Asked }) {
  const { t, i18n } = useTranslation('guarantee');
  const answer = useAnswerFor(g.application_id, g.guarantor.nr);
  const state = stateOf(g);
  const readable = state === 'ready' || state === 'signed';
  const contract = useContract(readable ? g.application_id : '', i18n.language);
  const [agreed, setAgreed] = useState(false);
  const [atEnd, setAtEnd] = useState(false);
  const opened = useRef(Date.now());

  const sign = async () => {
    if (!contract.data) return;
    await answer.mutateAsync({
      hash: contract.data.hash,
      declaration: g.declaration_hash,
      seen: {
        rate_confirmed: false,
        read_seconds: Math.round((Date.now() - opened.current) / 1000),
        read_to_end: atEnd,
      },
    });
    Toast.show({ icon: 'success', content: t('signed') });
    window.scrollTo(0, 0);
  };
  return (
    <Screen
      title={t('title')}
      back="/"
      foot={
        state === 'ready' ? (
          <Button
            block
            color="primary"
            size="large"
            disabled={!agreed || !contract.data}
            loading={answer.isPending}
            onClick={() => void sign().catch(() => undefined)}
          >
            {t('sign')}
          </Button>
        ) : undefined
      }
    >
      <Gist of={g} state={state} />
      <Meaning of={g} />
      {readable ? (
        <Part title={t('contract')}>
          <Await query={contract} lines={12}>
            {(c) => (
              <Signing contract={c} of={g} onEnd={() => setAtEnd(true)}>
                {state === 'ready' ? (
                  <label className="f-consent">
                    <input
                      type="checkbox"
                      checked={agreed}
                      onChange={(e) => setAgreed(e.target.checked)}
                    />
                    <span>{g.declaration}</span>
                  </label>
                ) : null}
              </Signing>
            )}
          </Await>
        </Part>
      ) : null}
      <Refusal error={answer.error} />
      {state === 'ready' || state === 'waits' ? (
        <Decline
          busy={answer.isPending}
          onSend={(reason) => answer.mutateAsync({ reason }).then(() => window.scrollTo(0, 0))}
        />
      ) : null}
    </Screen>
  );
}

function Signing(props: { contract: Words; of: Asked; onEnd(): void; children: React.ReactNode }) {
  return (
    <>
      <Paper contract={props.contract} onEnd={props.onEnd} />
      {props.children}
      {props.of.guarantor.signed_at ? <Evidence id={props.of.application_id} /> : null}
    </>
  );
}

/** Whom, how much at most, and how it stands. */
function Gist({ of: g, state }: { of: Asked; state: ReturnType<typeof stateOf> }) {
  const { t } = useTranslation('guarantee');
  const f = useFormats();
  const words = useWords();
  return (
    <div className="f-verdict" data-state={state} data-testid="guarantee" aria-live="polite">
      <h2>{t('asks', { name: g.borrower })}</h2>
      <p className="f-limit">{f.yuan0(g.at_most)}</p>
      <p>{t('at_most')}</p>
      <Facts
        of={[
          [t('product'), words.product(g.product)],
          [t('amount'), f.yuan(g.amount)],
          [t('share'), f.percent(g.share_bp / 10_000)],
          [t('term'), t('apply:term.months', { count: g.term_months })],
          ...(g.rate ? [[t('rate'), f.rate(g.rate)] as [string, string]] : []),
          ...(g.purpose ? [[t('purpose'), g.purpose] as [string, string]] : []),
          ...(g.others.length ? [[t('others'), g.others.join('、')] as [string, string]] : []),
        ]}
      />
      <p>
        <b>
          {t(`state.${state}`, { time: f.time(g.guarantor.signed_at ?? g.guarantor.declined_at) })}
        </b>
      </p>
      {g.guarantor.reason ? <p className="f-hint">{g.guarantor.reason}</p> : null}
      {g.loan ? (
        <Facts
          of={[
            [t('owed'), f.yuan(g.loan.outstanding)],
            [t('loan'), t(`home:loan_state.${g.loan.state}`)],
            ...(g.loan.overdue_days
              ? [[t('overdue'), t('days', { count: g.loan.overdue_days })] as [string, string]]
              : []),
            ...(g.loan.next_due
              ? [
                  [t('next'), `${f.date(g.loan.next_due)} · ${f.yuan(g.loan.next_amount)}`] as [
                    string,
                    string,
                  ],
                ]
              : []),
          ]}
        />
      ) : null}
    </div>
  );
}

/** What it means to answer for a loan, in short sentences. */
function Meaning({ of: g }: { of: Asked }) {
  const { t } = useTranslation('guarantee');
  const f = useFormats();
  const values = {
    name: g.borrower,
    share: f.percent(g.share_bp / 10_000),
    amount: f.yuan0(g.at_most),
  };
  return (
    <Part title={t('means')}>
      <ul className="f-list">
        {['pays', 'first', 'years', 'record', 'free'].map((k) => (
          <li key={k}>{t(`mean.${k}`, values)}</li>
        ))}
      </ul>
    </Part>
  );
}

function Decline(props: { busy: boolean; onSend(reason: string): Promise<unknown> }) {
  const { t } = useTranslation('guarantee');
  const [reason, setReason] = useState('');
  const send = async () => {
    if (await ask(t('decline_ask'))) await props.onSend(reason.trim());
  };
  return (
    <Part title={t('no')}>
      <Field label={t('reason')} value={reason} onChange={setReason} maxLength={200} />
      <Button
        block
        size="large"
        loading={props.busy}
        data-testid="decline"
        onClick={() => void send().catch(() => undefined)}
      >
        {t('decline')}
      </Button>
    </Part>
  );
}
