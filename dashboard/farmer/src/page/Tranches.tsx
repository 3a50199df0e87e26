import { idempotencyKey } from '@furrow/shared/api/client';
import type { Loan, LoanTranche } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Problem } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useCancelTranches, useDrawTranche, useTranches } from '../lending/data';
import { ask } from '../ui/ask';
import { Pill, type Tone } from '../ui/Pill';
import { Facts, Part } from '../ui/Screen';

const tones: Record<string, Tone> = { ready: 'go', planned: 'wait', paying: 'wait', drawn: 'done' };

function useNamed() {
  const { t, i18n } = useTranslation('loan');
  return (x: LoanTranche) =>
    t('tranche', { nr: x.nr, name: x.name?.[i18n.language] ?? x.name?.['zh-CN'] ?? '' });
}

/** The plan by which the money of an offer goes out. */
export function TranchePlan({ of }: { of: LoanTranche[] }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const named = useNamed();
  return (
    <Part title={t('tranches')}>
      <Facts
        of={of.map((x): [string, string] => [`${named(x)} · ${f.date(x.on)}`, f.yuan(x.amount)])}
      />
      {of.some((x) => x.condition) ? <p className="f-hint">{t('tranche_crop')}</p> : null}
      <p className="f-hint">{t('tranches_hint')}</p>
    </Part>
  );
}

/** The parts of a loan: what went out, what can be drawn, and why one cannot yet. */
export function Tranches({ loan }: { loan: Loan }) {
  const { t } = useTranslation('loan');
  const f = useFormats();
  const named = useNamed();
  const plan = useTranches(loan.id);
  const draw = useDrawTranche(loan.id);
  const cancel = useCancelTranches(loan.id);
  // One key for a part until it was taken, so that a retry is the same wish.
  const key = useRef({ nr: 0, key: '' });
  const send = async (x: LoanTranche) => {
    if (!(await ask(t('tranche_ask', { amount: f.yuan(x.amount) })))) return;
    if (key.current.nr !== x.nr) key.current = { nr: x.nr, key: idempotencyKey() };
    const after = await draw.mutateAsync(key.current);
    key.current = { nr: 0, key: '' };
    const paid = after.tranches?.[x.nr - 1]?.state === 'drawn';
    Toast.show(
      paid ? { icon: 'success', content: t('tranche_done') } : { content: t('tranche_waits') },
    );
  };
  const giveUp = async (amount: number) => {
    if (!(await ask(t('tranche_cancel_ask', { amount: f.yuan(amount) })))) return;
    await cancel.mutateAsync(undefined);
    Toast.show({ icon: 'success', content: t('tranche_cancelled') });
  };
  return (
    <Part title={t('tranches')}>
      <Await query={plan} lines={4}>
        {({ tranches, undrawn }) => (
          <div data-testid="tranches">
            {tranches.map((x) => {
              const state = x.ready ? 'ready' : x.state;
              return (
                <section key={x.nr}>
                  <h3>
                    {named(x)}{' '}
                    <Pill tone={tones[state] ?? 'stop'}>{t(`tranche_state.${state}`)}</Pill>
                  </h3>
                  {x.drawn_on ? (
                    <p>
                      {t('tranche_on', { date: f.date(x.drawn_on), amount: f.yuan(x.drawn ?? 0) })}
                    </p>
                  ) : (
                    <p>
                      <b>{f.yuan(x.amount)}</b>{' '}
                      {x.nr > 1
                        ? t('tranche_from', { from: f.date(x.on), until: f.date(x.until) })
                        : null}
                    </p>
                  )}
                  {x.state === 'planned' && x.condition ? (
                    <p className="f-hint">{t('tranche_crop')}</p>
                  ) : null}
                  {x.why.map((w) => (
                    <p key={w.code} className="f-hint">
                      {w.message}
                    </p>
                  ))}
                  {x.ready ? (
                    <Button
                      block
                      color="primary"
                      size="large"
                      loading={draw.isPending}
                      onClick={() => void send(x).catch(() => undefined)}
                    >
                      {t('tranche_draw', { amount: f.yuan(x.amount) })}
                    </Button>
                  ) : null}
                </section>
              );
            })}
            {draw.error ? <Problem compact error={draw.error} /> : null}
            {undrawn ? (
              <>
                <p className="f-hint">{t('tranches_hint')}</p>
                {cancel.error ? <Problem compact error={cancel.error} /> : null}
                <Button
                  block
                  size="large"
                  fill="none"
                  loading={cancel.isPending}
                  onClick={() => void giveUp(undrawn).catch(() => undefined)}
                >
                  {t('tranche_cancel')}
                </Button>
              </>
            ) : null}
          </div>
        )}
      </Await>
    </Part>
  );
}
