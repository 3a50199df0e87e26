import '../lending/texts';
import { idempotencyKey } from '@furrow/shared/api/client';
import type { CollateralAsset } from '@furrow/shared/api/types';
import { useFormats } from '@furrow/shared/format';
import { Await, Empty } from '@furrow/shared/ui/states';
import { Button, Toast } from 'antd-mobile';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { fen, judge } from '../apply/amount';
import { useCollateral, useRelease, useReleasePlan } from '../lending/data';
import { ask } from '../ui/ask';
import { Money } from '../ui/Money';
import { Pill, type Tone } from '../ui/Pill';
import { Refusal } from '../ui/Refusal';
import { Facts, Part, Screen } from '../ui/Screen';

const tones: Record<string, Tone> = { held: 'go', sold: 'done', lost: 'stop' };

/** What is pledged, what repaying an amount frees, and asking for it back. */
export default function Pledge() {
  const { t } = useTranslation('pledge');
  const f = useFormats();
  const { id = '' } = useParams();
  const picture = useCollateral(id);
  const [chosen, setChosen] = useState<string[]>([]);
  return (
    <Screen title={t('title')} back={`/applications/${id}`}>
      <Await query={picture} lines={8}>
        {({ pool, cover, releasable, proposals }) => {
          const assets = pool.assets ?? [];
          if (!assets.length) return <Empty text={t('none')} />;
          const open = (proposals ?? []).filter((p) => p.state === 'open');
          return (
            <>
              <Facts
                of={[
                  [t('owed'), f.yuan(cover.owed)],
                  [t('value'), f.yuan(cover.value)],
                  [t('cover'), cover.cover_bp ? f.percent(cover.cover_bp / 10_000) : '—'],
                ]}
              />
              {pool.call ? (
                <p className="f-error" role="alert">
                  {t('call', {
                    date: f.date(pool.call.due),
                    repay: f.yuan(pool.call.repay),
                    add: f.yuan(pool.call.add),
                  })}
                </p>
              ) : null}
              <Part title={t('assets')}>
                <ul className="f-rows">
                  {assets.map((a) => (
                    <Asset
                      key={a.id}
                      asset={a}
                      free={!!releasable?.includes(a.id)}
                      chosen={chosen.includes(a.id)}
                      onChoose={(on) =>
                        setChosen(on ? [...chosen, a.id] : chosen.filter((x) => x !== a.id))
                      }
                    />
                  ))}
                </ul>
              </Part>
              {open.length ? <p className="f-note">{t('waits', { count: open.length })}</p> : null}
              {chosen.length ? (
                <AskRelease id={id} assets={chosen} onDone={() => setChosen([])} />
              ) : null}
              {cover.owed ? <WhatIf id={id} owed={cover.owed} /> : null}
            </>
          );
        }}
      </Await>
    </Screen>
  );
}

function Asset(props: {
  asset: CollateralAsset;
  free: boolean;
  chosen: boolean;
  onChoose(on: boolean): void;
}) {
  const { t } = useTranslation('pledge');
  const f = useFormats();
  const { asset: a } = props;
  return (
    <li className="f-row">
      <span className="f-row-text">
        <span className="f-line">
          <b>{a.label || t(`kind.${a.kind}`)}</b>
          <Pill tone={tones[a.status] ?? 'done'}>{t(`status.${a.status}`)}</Pill>
        </span>
        <span className="f-hint">
          {t(`kind.${a.kind}`)} ·{' '}
          {a.value.known ? t('worth', { amount: f.yuan0(a.value.low) }) : t('unknown')}
          {a.status === 'held' && props.free ? ` · ${t('free_now')}` : ''}
        </span>
        {a.status === 'held' ? (
          <label className="f-tick">
            <input
              type="checkbox"
              checked={props.chosen}
              onChange={(e) => props.onChoose(e.target.checked)}
            />
            <span>{t('want', { what: a.label || t(`kind.${a.kind}`) })}</span>
          </label>
        ) : null}
      </span>
    </li>
  );
}

/** What must be paid before the chosen things may leave, and the request. */
function AskRelease(props: { id: string; assets: string[]; onDone(): void }) {
  const { t } = useTranslation('pledge');
  const f = useFormats();
  const plan = useReleasePlan(props.id, 0, props.assets);
  const release = useRelease(props.id);
  const key = useRef({ of: '', key: '' });
  const first = plan.data?.first ?? 0;
  const send = async () => {
    if (!(await ask(t('ask_sure')))) return;
    const of = props.assets.join();
    if (key.current.of !== of) key.current = { of, key: idempotencyKey() };
    const { proposal } = await release.mutateAsync({
      assets: props.assets,
      key: key.current.key,
    });
    Toast.show({ icon: 'success', content: t(proposal ? 'asked' : 'released') });
    props.onDone();
  };
  return (
    <Part title={t('ask')}>
      {plan.data ? (
        <p className={first ? 'f-note' : 'f-good'} data-testid="first">
          {first ? t('first', { amount: f.yuan(first) }) : t('first_none')}
        </p>
      ) : null}
      <Refusal error={plan.error ?? release.error} />
      <Button
        block
        color="primary"
        size="large"
        loading={release.isPending}
        onClick={() => void send().catch(() => undefined)}
      >
        {t('ask_send')}
      </Button>
    </Part>
  );
}

/** What would be free after repaying an amount. */
function WhatIf({ id, owed }: { id: string; owed: number }) {
  const { t } = useTranslation('pledge');
  const f = useFormats();
  const [yuan, setYuan] = useState('');
  const amount = fen(yuan);
  const wrong = yuan && judge(amount, 1, Number.MAX_SAFE_INTEGER);
  const plan = useReleasePlan(id, wrong ? 0 : (amount ?? 0), []);
  const free = plan.data?.free ?? [];
  return (
    <Part title={t('what_if')}>
      <Money
        label={t('pay')}
        value={yuan}
        onChange={setYuan}
        hint={t('pay_hint')}
        wrong={wrong ? t('loan:not_amount') : ''}
      />
      <div className="f-quick">
        {[0.25, 0.5, 1].map((part) => {
          const fen = Math.ceil((owed * part) / 100) * 100;
          return (
            <button type="button" key={part} onClick={() => setYuan(String(fen / 100))}>
              {f.yuan0(fen)}
            </button>
          );
        })}
      </div>
      {plan.data ? (
        <div data-testid="plan" aria-live="polite">
          <p>{free.length ? t('freed', { count: free.length }) : t('freed_none')}</p>
          <ul>
            {free.map((a) => (
              <li key={a.id}>{a.label || t(`kind.${a.kind}`)}</li>
            ))}
          </ul>
        </div>
      ) : null}
      <Refusal error={plan.error} />
    </Part>
  );
}
